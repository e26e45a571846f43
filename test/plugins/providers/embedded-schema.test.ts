import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fillSchema } from '../../../plugins/providers/embedded/fields/schema.ts';
import { readTask } from '../../../plugins/providers/embedded/task.ts';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { JsonSchema } from '../../../src/core/model/model.ts';
import { validateJson } from '../../../src/kit/json/json-validation.ts';

const MAIL = `Hello support,

my name is Anna Schmidt and I ordered a coffee machine on 12 March 2026 (order ORD-48213). I was charged $249.99 twice on my credit card.
Please refund one of the payments as soon as possible. You can reach me at anna.schmidt@example.com or +49 170 1234567.

Best regards,
Anna Schmidt`;

const text = { type: 'string' };
const object = (properties: Record<string, JsonSchema>, required = Object.keys(properties)): JsonSchema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const fill = (schema: JsonSchema, prompt = MAIL) =>
  fillSchema(schema, readTask([{ role: 'user', content: prompt }], { structured: true }), 'thorough');

describe('fillSchema', () => {
  test('takes the number behind its label, whatever its form', () => {
    const invoice = 'Extract the invoice number.\n\nOrder ORD-48213\nInvoice number: 2026-031\nDate: 2026-03-04\n';
    expect(fill(object({ invoice_number: text }), invoice).value).toEqual({ invoice_number: '2026-031' });
  });

  test('reads the facts of a letter', () => {
    const schema = object({
      name: text,
      email: { type: 'string', format: 'email' },
      phone: text,
      order_number: text,
      amount: { type: 'number' },
      date: { type: 'string', format: 'date' },
      refundRequested: { type: 'boolean' },
      category: { type: 'string', enum: ['billing', 'tech'] },
    });
    expect(fill(schema).value).toEqual({
      name: 'Anna Schmidt',
      email: 'anna.schmidt@example.com',
      phone: '+49 170 1234567',
      order_number: 'ORD-48213',
      amount: 249.99,
      date: '2026-03-12',
      refundRequested: true,
      category: 'billing',
    });
  });

  test('a person is no company, and a label of one letter no word', () => {
    const staff = 'Extract the company: Tom Becker works with Ann Lee at Acme GmbH.';
    expect(fill(object({ company: text }), staff).value).toEqual({ company: 'Acme GmbH' });
    expect(() => fill(object({ company: text }))).toThrow(/"company"/);
    const choice = { type: 'string', enum: ['a', 'b'] };
    expect(fill(object({ choice }), 'Pick the best option for a beach holiday').confidence).toBeLessThanOrEqual(0.5);
  });

  test('keeps the order of the properties', () => {
    const { value } = fill(object({ summary: text, email: text, amount: { type: 'number' } }));
    expect(Object.keys(Object(value))).toEqual(['summary', 'email', 'amount']);
  });

  test('confidence fields hold the confidence, in their own range', () => {
    const label = { type: 'string', enum: ['billing', 'tech'] };
    const { value, confidence } = fill(
      object({ label, confidence: { type: 'number' }, certainty: { type: 'integer', maximum: 100 } }),
    );
    expect(value).toMatchObject({
      confidence: Math.round(confidence * 100) / 100,
      certainty: Math.round(confidence * 100),
    });
    expect(confidence).toBeGreaterThan(0.7);
    expect(
      fill(object({ label, confidence: { type: 'number' } }), 'Classify: The sky is blue.').confidence,
    ).toBeLessThanOrEqual(0.5);
  });

  test('answers questions, and says when the text does not', () => {
    const schema = object({ answer: text, found: { type: 'boolean' }, confidence: { type: 'number' } });
    expect(fill(schema, `Question: When was the coffee machine ordered?\n\nText: ${MAIL}`).value).toMatchObject({
      answer: expect.stringContaining('12 March 2026'),
      found: true,
    });
    expect(fill(schema, `Question: Which colour has the moon?\n\nText: ${MAIL}`).value).toMatchObject({ found: false });
  });

  test('what the text does not hold is left out where it may be, null where it can be, else refused', () => {
    const website: JsonSchema = { type: 'string', format: 'uri' };
    expect(fill(object({ email: text, website }, ['email'])).value).toEqual({ email: 'anna.schmidt@example.com' });
    expect(fill(object({ website: { anyOf: [website, { type: 'null' }] } })).value).toEqual({ website: null });
    expect(() => fill(object({ website }))).toThrow(/no value for "website"/);
  });

  test('lists become entities, terms, items or objects', () => {
    const strings = { type: 'array', items: text };
    const prompt = 'Extract the offers:\n\n- Apples: 3 kg for $4\n- Pears: 2 kg for $5.50';
    const offer = object({ price: { type: 'number' }, weight: { type: 'number' } });
    expect(fill(object({ offers: { type: 'array', items: offer } }), prompt).value).toEqual({
      offers: [
        { price: 4, weight: 3 },
        { price: 5.5, weight: 2 },
      ],
    });
    expect(fill(object({ emails: strings, prices: strings })).value).toEqual({
      emails: ['anna.schmidt@example.com'],
      prices: ['$249.99'],
    });
    const tags = { type: 'array', items: { type: 'string', enum: ['billing', 'sports'] } };
    expect(fill(object({ tags })).value).toEqual({ tags: ['billing'] });
  });

  test('references and combined schemas are followed', () => {
    const schema: JsonSchema = {
      $defs: { contact: { allOf: [object({ email: text }), { type: 'object' }] } },
      type: 'object',
      properties: { contact: { $ref: '#/$defs/contact' } },
      required: ['contact'],
    };
    expect(fill(schema).value).toEqual({ contact: { email: 'anna.schmidt@example.com' } });
  });

  test('a schema that refers to itself ends', () => {
    const schema: JsonSchema = { $ref: '#' };
    expect(() => fill(schema)).toThrow(PolyphonyError);
  });

  test('whatever the schema, the value fits it or the refusal is ours', () => {
    const scalar = fc.oneof(
      fc.record({ type: fc.constantFrom('string', 'number', 'integer', 'boolean', 'null') }),
      fc.record({ type: fc.constant('string'), maxLength: fc.nat(20), minLength: fc.nat(5) }),
      fc.record({
        type: fc.constant('integer'),
        minimum: fc.integer({ min: -5, max: 5 }),
        maximum: fc.integer({ min: 0, max: 300 }),
      }),
      fc.record({
        enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1, maxLength: 4 }),
      }),
      fc.record({ type: fc.constant('string'), format: fc.constantFrom('email', 'uri', 'date', 'date-time', 'uuid') }),
      fc.record({ type: fc.constant(['string', 'null']) }),
      fc.constant({}),
    );
    const name = fc.constantFrom(
      'name',
      'email',
      'total',
      'summary',
      'isUrgent',
      'confidence',
      'tags',
      'x',
      'date',
      'answer',
    );
    const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
      schema: fc.oneof(
        { depthSize: 'small' },
        scalar,
        fc.record({
          type: fc.constant('array'),
          items: tie('schema'),
          minItems: fc.nat(2),
          maxItems: fc.integer({ min: 2, max: 4 }),
        }),
        fc.dictionary(name, tie('schema'), { maxKeys: 4 }).map((properties) => object(properties)),
      ),
    }));
    fc.assert(
      fc.property(schema, fc.constantFrom(MAIL, 'Summarise: a b c.', 'no facts here'), (asked, prompt) => {
        try {
          expect(validateJson(asked, fill(asked, prompt).value).ok).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(PolyphonyError);
        }
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

/** Answers letters of customers; a refund is paid only from what the order says, and above a sum only when a person approves. */
import {
  and,
  coalesce,
  compute,
  eq,
  gt,
  human,
  isPresent,
  isTrue,
  llm,
  lte,
  or,
  t,
  tool,
  value,
  workflow,
} from 'polyphony';

interface Order {
  readonly order: string;
  readonly customer: string;
  readonly total: number;
  readonly days: number;
}

const readRows = tool<
  { readonly path: string; readonly numbers?: readonly string[] },
  { readonly rows: readonly Order[] }
>('read_rows');
const writeRows = tool<
  { readonly path: string; readonly rows: readonly object[]; readonly overwrite?: boolean },
  { readonly path: string; readonly rows: number }
>('write_rows');

export default workflow({
  id: 'support-with-approval',
  goal: 'Answer letters, and pay back larger sums only when a person approves',
  input: { letters: 'string[]', orders: 'string' },
})
  .node('table', readRows, (c) => ({ in: { path: c.input.orders, numbers: ['total', 'days'] } }))
  .each(
    'cases',
    (c) => c.input.letters,
    { with: (c) => ({ orders: c.table.rows }) },
    (letter, body) =>
      body
        .node('read', llm, () => ({
          in: { prompt: t`What does the customer want, and which order is it about?\n\n${letter}` },
          out: { kind: 'refund|question', order: 'string' },
          model: { tier: 'fast' },
        }))
        .node('found', value, (c) => ({
          when: eq(c.read.kind, 'refund'),
          in: {
            order: compute.at(
              compute.filter(c.input.orders, (row) => eq(row.order, c.read.order)),
              0,
            ),
          },
        }))
        .node('review', human, (c) => ({
          when: gt(c.found.order.total, 100),
          in: {
            question: t`Pay ${c.found.order.total} back to ${c.found.order.customer}?`,
            choices: ['refund', 'refuse'],
            approve: 'refund',
            data: c.found.order,
          },
        }))
        .node('paid', value, (c) => ({
          when: or(isTrue(c.review.approved), and(isPresent(c.found.order), lte(c.found.order.total, 100))),
          in: { order: c.found.order.order, sum: c.found.order.total },
        }))
        .node('reply', llm, (c) => ({
          in: {
            prompt: t`Answer the letter in one sentence. Paid back: ${coalesce(c.paid.sum, 'nothing')}\n\n${letter}`,
          },
        }))
        .output((c) => ({
          kind: c.read.kind,
          order: c.paid.order,
          sum: c.paid.sum,
          decision: coalesce(c.review.answer, 'not asked'),
          reply: c.reply.text,
        })),
  )
  .node('refunds', writeRows, (c) => ({
    in: {
      path: 'refunds.csv',
      rows: compute.collect(
        compute.filter(c.cases, (one) => isPresent(one.sum)),
        (one) => ({ order: one.order, sum: one.sum }),
      ),
      overwrite: true,
    },
  }))
  .output((c) => ({ cases: c.cases, refunds: c.refunds.rows }));

/** Workflows with people, tools and hand-offs, as their authors write them. */
import { z } from 'zod';
import {
  coalesce,
  eq,
  gt,
  human,
  isPresent,
  isTrue,
  llm,
  not,
  or,
  t,
  tool,
  undoBy,
  value,
  workflow,
} from '../../../src/workflow/index.ts';

const findOrder = tool<
  { readonly id: string },
  { readonly total: number; readonly paid: boolean; readonly mail?: string }
>('find_order');
const pay = tool<{ readonly order: string; readonly sum: number }, { readonly receipt: string }>('pay');
const takeBack = tool<{ readonly receipt: string }, unknown>('take_back');
const send = tool<{ readonly to: string; readonly text: string }, unknown>('send');

// Support: a refund above a sum needs a person, and is taken back when the mail cannot be sent.
export const supportWithApproval = workflow({
  id: 'support',
  input: z.object({ ticket: z.string(), user: z.string(), order: z.string().optional() }),
})
  .node('read', llm, (c) => ({
    in: { prompt: c.input.ticket },
    out: z.object({ kind: z.enum(['refund', 'question']), order: z.string() }),
    session: t`user-${c.input.user}`,
  }))
  .node('order', findOrder, (c) => ({
    when: eq(c.read.kind, 'refund'),
    in: { id: coalesce(c.input.order, c.read.order) },
    onError: { keep: true },
  }))
  .node('unknown', value, (c) => ({
    when: isPresent(c.order.meta.error),
    in: { answer: t`We found no order: ${c.order.meta.error.message}`, receipt: null },
    finish: true,
  }))
  .node('review', human, (c) => ({
    when: gt(c.order.total, 100),
    in: { question: t`Refund ${c.order.total}?`, choices: ['refund', 'refuse'], approve: 'refund', data: c.order },
  }))
  .node(
    'refund',
    pay,
    (c) => ({
      when: or(eq(c.review.answer, 'refund'), not(gt(c.order.total, 100))),
      in: { order: c.read.order, sum: coalesce(c.order.total, 0) },
    }),
    { undo: (self) => undoBy(takeBack, { receipt: self.receipt }) },
  )
  .node('write', llm, (c) => ({ in: { prompt: t`${c.input.ticket}\nRefunded: ${c.refund.receipt}` } }))
  .node('mail', send, (c) => ({ in: { to: coalesce(c.order.mail, c.input.user), text: c.write.text } }))
  .output((c) => ({ answer: c.write.text, receipt: c.refund.receipt }));

// An agent with tools, one of which is approved by a person afterwards.
export const agentWithTools = workflow({ id: 'agent', input: { task: 'string', tools: 'string[]' } })
  .node('work', llm, (c) => ({
    in: { messages: [{ role: 'user', content: t`Do this: ${c.input.task}` }], tools: ['find_order', 'search'] },
    limits: { usd: 0.2, seconds: 120 },
  }))
  .node('checked', human, (c) => ({
    in: { question: t`Send this?\n${c.work.text}`, data: c.work.meta.warnings },
    out: z.object({ answer: z.object({ send: z.boolean(), note: z.string() }) }),
  }))
  .node('sent', send, (c) => ({ when: isTrue(c.checked.answer.send), in: { to: 'x', text: c.checked.answer.note } }))
  .output((c) => ({ sent: c.checked.answer.send, text: c.work.text }));

// A hand-off: the first agent says who goes on.
export const handOff = workflow({ id: 'hand-off', input: { message: 'string' } })
  .node('desk', llm, (c) => ({
    in: { prompt: c.input.message },
    out: z.object({ to: z.enum(['sales', 'tech']), brief: z.string() }),
  }))
  .node('sales', llm, (c) => ({ when: eq(c.desk.to, 'sales'), in: { system: 'You sell.', prompt: c.desk.brief } }))
  .node('tech', llm, (c) => ({ when: eq(c.desk.to, 'tech'), in: { system: 'You mend.', prompt: c.desk.brief } }))
  .output((c) => ({ text: coalesce(c.sales.text, c.tech.text), by: c.desk.to }));

// Deep research that asks its reader in between.
const search = tool<{ readonly query: string }, { readonly hits: readonly string[] }>('search');
export const deepResearch = workflow({ id: 'research', input: { topic: 'string' }, failFast: false })
  .node('outline', llm, (c) => ({
    in: { prompt: t`Outline: ${c.input.topic}` },
    out: { questions: 'string[]', title: 'string' },
  }))
  .node('scope', human, (c) => ({
    in: { question: t`Which of these?`, data: c.outline.questions },
    out: { answer: 'string[]' },
  }))
  .map(
    'found',
    search,
    (c) => c.scope.answer,
    (query) => ({ in: { query }, limits: { concurrency: 3 }, onError: { value: { hits: [] } } }),
  )
  .map(
    'parts',
    llm,
    (c) => c.found,
    (one, c, index) => ({ in: { prompt: t`Part ${index} of ${c.outline.title}:\n${one.hits}` }, out: z.string() }),
  )
  .node('report', value, (c) => ({ in: { title: c.outline.title, parts: c.parts, failed: c.found.meta.errors } }))
  .output((c) => ({ title: c.report.title, first: c.report.parts[0], failed: c.report.failed }));

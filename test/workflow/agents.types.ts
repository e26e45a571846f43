/** What the compiler must accept, and must refuse, of nodes whose models call tools. */
import { llm, type Workflow, workflow } from '../../src/workflow/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;
type MaySuspend<W> = W extends Workflow<infer _I, infer _O, infer M> ? M : 'no workflow';

const outer = workflow({ id: 'outer', input: { a: 'string' } });
const asksInLoop = outer
  .node('desk', llm.agent, (c) => ({
    in: { prompt: c.input.a, tools: ['workflow:pay'], approve: ['workflow:pay'], rounds: 3 },
  }))
  .output((c) => ({ text: c.desk.text, said: c.desk.meta.transcript }));
holds<Equal<MaySuspend<typeof asksInLoop>, boolean>>();

const asksNobody = outer
  .node('desk', llm, (c) => ({ in: { prompt: c.input.a, tools: ['pay'], rounds: 3 } }))
  .output((c) => ({ text: c.desk.text }));
holds<Equal<MaySuspend<typeof asksNobody>, false>>();

outer.node('d', llm, (c) => ({
  // @ts-expect-error a node that may wait for a person is `llm.agent`
  in: { prompt: c.input.a, tools: ['pay'], approve: ['pay'] },
}));

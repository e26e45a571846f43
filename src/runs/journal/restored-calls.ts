/** Counts the calls of models in the events of a run: of its own nodes, and of the runs nested in those that ended. */
import type { RunEvent } from '../../core/run/engine.ts';
import type { Calls } from '../state/run-state.ts';

export interface CallCounter {
  take(event: RunEvent): void;
  total(): Calls;
}

export function createCallCounter(): CallCounter {
  const total = { calls: 0, plannerCalls: 0 };
  /** Items of nodes that have not ended since the run was resumed last. The end of a node includes them. */
  const items = new Map<string, Calls>();
  /** Rounds of models that call tools, by node and item. The end of either includes them. */
  const loops = new Map<string, Map<number, Calls>>();
  const add = ({ calls = 0, plannerCalls = 0 }: Partial<Calls>): void => {
    total.calls += calls;
    total.plannerCalls += plannerCalls;
  };
  const addItems = (): void => {
    for (const counted of items.values()) add(counted);
    items.clear();
    for (const byItem of loops.values()) for (const counted of byItem.values()) add(counted);
    loops.clear();
  };
  return {
    take(event) {
      switch (event.type) {
        case 'run-started':
          add({ plannerCalls: event.paid?.plannerCalls ?? 0 });
          return;
        case 'plan-answered':
          add({ plannerCalls: 1 });
          return;
        case 'run-resumed':
          addItems();
          return;
        case 'model-answered': {
          const { nodeId, item = -1, calls = 0 } = event;
          const byItem = loops.get(nodeId) ?? new Map<number, Calls>();
          byItem.set(item, { calls: (byItem.get(item)?.calls ?? 0) + calls, plannerCalls: 0 });
          loops.set(nodeId, byItem);
          return;
        }
        case 'item-finished': {
          const { nodeId, item = -1, calls = 0, plannerCalls = 0 } = event;
          loops.get(nodeId)?.delete(item);
          const before = items.get(nodeId) ?? { calls: 0, plannerCalls: 0 };
          items.set(nodeId, { calls: before.calls + calls, plannerCalls: before.plannerCalls + plannerCalls });
          return;
        }
        case 'node-finished':
        case 'node-failed':
        case 'node-cancelled':
          items.delete(event.nodeId);
          loops.delete(event.nodeId);
          add(event);
          return;
        default:
      }
    },
    total() {
      addItems();
      return { ...total };
    },
  };
}

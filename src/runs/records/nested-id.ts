/** The ids of runs that nodes start: made from their place, so that a resumed run finds them again. */

export interface NestedPlace {
  readonly runId: string;
  readonly nodeId: string;
  readonly item?: number | undefined;
  /** Round of `repeat`, from 1. */
  readonly round?: number | undefined;
}

export function nestedRunId({ runId, nodeId, item, round }: NestedPlace): string {
  return [runId, nodeId, ...(item === undefined ? [] : [item]), ...(round === undefined ? [] : [`r${round}`])].join(
    '.',
  );
}

/** Whether the step runs a plan as a run of its own. */
export const startsRun = (use: string): boolean => use === 'plan' || use.startsWith('workflow:');

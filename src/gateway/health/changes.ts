/**
 * Finds out that a figure of a workflow has changed: its latency, its share of refusals, or the scores that are reported for it.
 *
 * Values are put together in windows of at least a minute and at least 20 values, and the mean of each is compared with the usual one, which
 * the first 40 windows give and the next 160 correct. A cumulative sum in each direction (Page 1954, with the parameters of Montgomery,
 * "Introduction to Statistical Quality Control": k = 1, h = 8 standard deviations of a window's mean, 12 for
 * refusals) raises the alert. One window counts as 4
 * deviations at most, so that no single one decides (Lucas and Crosier 1982). After an alert the usual is learned anew.
 * test/laws/changes.test.ts states how often that is a false alarm.
 */
import type { Clock } from '../../core/clock.ts';
import type { ChangeDetected } from '../../core/gateway/health-events.ts';
import type { GatewayEvents } from '../gateway-events.ts';

type Figure = ChangeDetected['figure'];

const WINDOW_MS = 60_000;
const FEWEST_VALUES = 20;
const LEARNED = 40;
const CORRECTED = 200;
const SLACK = 1;
/** Windows with several refusals are more frequent than a normal distribution has them. */
const THRESHOLDS: Readonly<Record<Figure, number>> = { latency: 8, refusals: 12, quality: 8 };
const MOST_DEVIATIONS = 4;
/** A figure that never varied varies by this at least: in the logarithm of milliseconds, in shares and in scores. */
const LEAST_DEVIATION = 0.01;
const MAX_WORKFLOWS = 256;

interface Sum {
  value: number;
  /** Windows since it was 0, and the sum of their means. */
  windows: number;
  total: number;
}

/** One figure of one workflow. */
interface Watched {
  openedAt: number;
  values: number;
  total: number;
  windows: number;
  mean: number;
  squares: number;
  readonly up: Sum;
  readonly down: Sum;
}

export interface Changes {
  /** `value`: milliseconds, 1 or 0, or a score. */
  take(workflow: string, figure: Figure, value: number): void;
}

export function createChanges(clock: Pick<Clock, 'monotonic'>, events: GatewayEvents): Changes {
  const workflows = new Map<string, Record<Figure, Watched>>();
  return {
    take(workflow, figure, value) {
      const watched = watchedOf(workflows, workflow)?.[figure];
      if (watched === undefined) return;
      const nowMs = clock.monotonic();
      if (watched.values === 0) watched.openedAt = nowMs;
      watched.values += 1;
      watched.total += figure === 'latency' ? Math.log(Math.max(1, value)) : value;
      if (watched.values < FEWEST_VALUES || nowMs - watched.openedAt < WINDOW_MS) return;
      const changed = close(watched, figure);
      if (changed === undefined) return;
      const [before, after] = changed.map((mean) => (figure === 'latency' ? Math.exp(mean) : mean)) as [number, number];
      const message = `The ${figure} of ${workflow === '' ? 'calls without a workflow' : `"${workflow}"`} changed: ${before.toPrecision(3)} before, ${after.toPrecision(3)} now.`;
      events.tell({ type: 'change-detected', level: 'warn', workflow, figure, before, after, message });
    },
  };
}

/** Closes the window. The usual mean and that since the change began, where there is one. */
function close(watched: Watched, figure: Figure): readonly [number, number] | undefined {
  const { values, total, mean, up, down } = watched;
  const value = total / values;
  Object.assign(watched, { values: 0, total: 0 });
  if (watched.windows >= LEARNED) {
    const raw = (value - mean) / deviationOf(watched, figure, values);
    const deviations = Math.max(-MOST_DEVIATIONS, Math.min(MOST_DEVIATIONS, raw));
    follow(up, deviations - SLACK, value);
    follow(down, -deviations - SLACK, value);
    const over = [up, down].find((sum) => sum.value >= THRESHOLDS[figure]);
    if (over !== undefined) {
      const after = over.total / over.windows;
      Object.assign(watched, fresh());
      return [mean, after];
    }
  }
  if (watched.windows < CORRECTED) learn(watched, value);
  return undefined;
}

function follow(sum: Sum, by: number, value: number): void {
  sum.value = Math.max(0, sum.value + by);
  if (sum.value === 0) Object.assign(sum, { windows: 0, total: 0 });
  else Object.assign(sum, { windows: sum.windows + 1, total: sum.total + value });
}

function learn(watched: Watched, value: number): void {
  watched.windows += 1;
  const difference = value - watched.mean;
  watched.mean += difference / watched.windows;
  watched.squares += difference * (value - watched.mean);
}

/** Of shares, that of the binomial distribution, with one more success and failure: most windows have no refusal at all. */
function deviationOf({ squares, windows, mean }: Watched, figure: Figure, values: number): number {
  if (figure !== 'refusals') return Math.max(LEAST_DEVIATION, Math.sqrt(squares / (windows - 1)));
  const seen = windows * FEWEST_VALUES;
  const share = (mean * seen + 1) / (seen + 2);
  return Math.max(LEAST_DEVIATION, Math.sqrt((share * (1 - share)) / values));
}

const noSum = (): Sum => ({ value: 0, windows: 0, total: 0 });
const fresh = (): Watched => ({
  openedAt: 0,
  values: 0,
  total: 0,
  windows: 0,
  mean: 0,
  squares: 0,
  up: noSum(),
  down: noSum(),
});

function watchedOf(
  workflows: Map<string, Record<Figure, Watched>>,
  workflow: string,
): Record<Figure, Watched> | undefined {
  const known = workflows.get(workflow);
  if (known !== undefined || workflows.size >= MAX_WORKFLOWS) return known;
  const made = { latency: fresh(), refusals: fresh(), quality: fresh() };
  workflows.set(workflow, made);
  return made;
}

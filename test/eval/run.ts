/**
 * How well a planner plans: its plans for requests whose good plans are known.
 *
 *   npm run eval:planner                                the planner of the config, or of the keys in the environment
 *   npm run eval:planner -- --model openai/gpt-6-luna   this one
 *   npm run eval:planner -- --model scripted/none       one that writes every gold plan; scripted/shortened and others make mistakes
 *
 * `--only chains,refund` takes the requests whose id begins so, `--rounds` bounds the answers a request, `--seconds` the time of one,
 * `--max-usd` what is spent (1), `--config` names a config, `--json FILE` writes all figures, `--overlay FILE` the strength `planning`,
 * `--quiet` prints the sums alone. Exit codes: 0 measured, 1 nothing was measured or written, 2 there is no such request.
 */
import { writeFileSync } from 'node:fs';
import type { Provider } from 'polyphony';
import { embedded } from 'polyphony/plugins/providers/embedded';
import { scriptWords } from '../../scripts/script-words.ts';
import { loadConfig, loadPlugins } from '../../src/cli/input/config-file.ts';
import type { ConfigInput } from '../../src/core/config/config-input.ts';
import { evaluatePlanner } from './evaluate.ts';
import { writeOverlay } from './overlay.ts';
import { reportOf, reportText, TASK_HEAD, taskLine } from './report.ts';
import { scriptedPlanner } from './scripted-planner.ts';
import { TASKS } from './tasks/index.ts';

const INTERRUPTED = 130;

const { values } = scriptWords(import.meta.filename, {
  options: {
    model: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string', default: '120' },
    'max-usd': { type: 'string', default: '1' },
    config: { type: 'string' },
    json: { type: 'string' },
    overlay: { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
});

/** Programs are registered only where they are named, so that they never stand in for a model. */
function programs(model: string | undefined): readonly Provider[] | undefined {
  if (model?.startsWith('scripted/') === true) return [scriptedPlanner(TASKS)];
  return model?.startsWith('embedded/') === true ? [embedded()] : undefined;
}

async function main(): Promise<number> {
  const only = values.only?.split(',');
  const tasks = TASKS.filter(({ id }) => only === undefined || only.some((prefix) => id.startsWith(prefix)));
  if (tasks.length === 0) {
    console.error(`No request begins with ${values.only}. There are: ${TASKS.map(({ id }) => id).join(', ')}`);
    return 2;
  }
  const loaded = await loadConfig(process.cwd(), values.config);
  const planner = {
    ...loaded.config.planner,
    ...(values.model === undefined ? {} : { model: values.model }),
    // Another one that helped would be measured under its name.
    escalate: false,
    ...(values.rounds === undefined ? {} : { rounds: Number(values.rounds) }),
  };
  const config: ConfigInput = { ...loaded.config, planner };
  const providers = programs(values.model);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  if (!values.quiet) console.log(TASK_HEAD);
  const evaluated = await evaluatePlanner({
    tasks,
    ...(providers === undefined ? {} : { providers }),
    plugins: await loadPlugins(loaded),
    config,
    maxUsd: Number(values['max-usd']),
    seconds: Number(values.seconds),
    signal: interrupted.signal,
    onEvaluated: (one) => {
      if (!values.quiet) console.log(taskLine(one));
    },
  });
  const report = reportOf(evaluated);
  console.log(`${values.quiet ? '' : '\n'}${reportText(report)}`);
  if (evaluated.length < tasks.length)
    console.log(`${tasks.length - evaluated.length} requests were not asked: --max-usd was reached.`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (values.overlay !== undefined) writeOverlay(values.overlay, report);
  if (interrupted.signal.aborted) return INTERRUPTED;
  return report.measured === 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

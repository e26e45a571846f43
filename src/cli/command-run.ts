/** polyphony run: plans a request, or takes a plan, and runs it. */
import { draw } from '../drawing/index.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { follow, interruptible } from './follow.ts';
import { issueLines } from './result-text.ts';
import { inputOf } from './run-input.ts';
import type { RunCommandOptions } from './run-options.ts';
import { type Session, withPolyphony } from './session.ts';
import { printable, type Terminal } from './terminal.ts';
import { type What, whatOf } from './what.ts';

function tagsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((tag) => {
      const equals = tag.indexOf('=');
      if (equals < 1) throw new UsageError(`--tag "${tag}" must be key=value`);
      return [tag.slice(0, equals), tag.slice(equals + 1)];
    }),
  );
}

export async function runCommand(argument: string, options: RunCommandOptions, terminal: Terminal): Promise<number> {
  const what = await whatOf(argument);
  const input = await inputOf(options.input);
  const tags = tagsOf(options.tag);
  return withPolyphony(options, terminal, (session) => runWhat(session, what, { ...options, input, tags }, terminal));
}

interface Prepared extends Omit<RunCommandOptions, 'input'> {
  readonly input: Record<string, unknown> | undefined;
  readonly tags: Record<string, string>;
}

async function runWhat(session: Session, what: What, options: Prepared, terminal: Terminal): Promise<number> {
  const talk = !options.json && !options.events && !options.quiet;
  const interrupt = interruptible(terminal);
  try {
    const plan = what.type === 'plan' ? planOf(session, what, options, terminal, talk) : what.text;
    if (plan === undefined) return EXIT.invalidPlan;
    const handle = await session.polyphony.start(plan, options.input, {
      signal: interrupt.signal,
      tags: options.tags,
      ...(options.budget === undefined ? {} : { budgetUsd: options.budget }),
      ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
      ...(options.session === undefined ? {} : { session: options.session }),
      onPlan: (planning) => {
        if (!talk) return;
        terminal.say(`${draw(planning.plan, 'tree')}\n`);
      },
    });
    return await follow(handle, options, terminal);
  } finally {
    interrupt.release();
  }
}

function planOf(
  session: Session,
  what: Extract<What, { type: 'plan' }>,
  options: Prepared,
  terminal: Terminal,
  talk: boolean,
) {
  const { plan, issues, repaired } = session.polyphony.validate(what.text);
  if (talk) {
    for (const repair of repaired)
      terminal.say(terminal.paint.dim(`repaired ${repair.path}: ${printable(repair.message)}`));
  }
  if (plan !== undefined) {
    if (talk) terminal.say(`${draw(plan, 'tree')}\n`);
    return plan;
  }
  if (options.json) terminal.print(JSON.stringify({ status: 'invalid', issues }, null, 2));
  terminal.say(`${what.source} cannot run:\n${issueLines(issues, terminal.paint)}`);
  return undefined;
}

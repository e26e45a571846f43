/** Asks the embedded engine as a new user would, and judges what comes back: useful, a clear refusal, missed, or bad. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { embedded } from '../../../../plugins/providers/embedded.ts';
import { calculate } from '../../../../plugins/tools/calculate.ts';
import { fileTools } from '../../../../plugins/tools/files.ts';
import { textOf } from '../../../../src/core/model/response.ts';
import { createPolyphony, type Polyphony, PolyphonyError } from '../../../../src/index.ts';

export interface Request {
  readonly ask: string;
  /** Runs the request as a plan over the folder; otherwise it is one call of the engine. */
  readonly files?: true;
  /** `answer`: the material has it; `nothing`: the material lacks it, and that must be said; `refusal`: no engine of rules can do it. */
  readonly want: 'answer' | 'nothing' | 'refusal';
  /** What a useful answer contains, and what it must not contain. */
  readonly holds?: readonly (string | RegExp)[];
  readonly lacks?: readonly (string | RegExp)[];
  /** The number of its lines, without empty ones. */
  readonly lines?: number;
}

export interface Verdict {
  /** `missed`: the engine says that it found nothing, though the material has it. `bad`: what it says is wrong, empty or made up. */
  readonly verdict: 'useful' | 'refused' | 'missed' | 'bad';
  readonly said: string;
}

/** Words that say that something was looked for and is not there. */
const NOTHING =
  /\bnot? (?:answer|found|in the|such|value|match)|does not answer|\b(?:holds|has|contains) (?:no|none|nothing)\b|"found":false|"note":"The table has no|"missing":\["/i;

export async function inFolder(folder: string, files: Readonly<Record<string, string>>): Promise<Polyphony> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return createPolyphony({ plugins: [fileTools({ folder }), calculate()], providers: [embedded()] });
}

export async function judge(polyphony: Polyphony, request: Request): Promise<Verdict> {
  let said: string;
  let confidence = 0;
  try {
    if (request.files) {
      const done = await polyphony.run(request.ask);
      said = JSON.stringify('output' in done ? done.output : done.status);
    } else {
      const response = await polyphony.gateway.generate({ messages: [{ role: 'user', content: request.ask }] });
      said = textOf(response);
      confidence = response.confidence ?? 1;
    }
  } catch (error) {
    const clear = error instanceof PolyphonyError && error.code === 'unsupported' && error.message.includes('engine');
    return { verdict: clear ? 'refused' : 'bad', said: error instanceof Error ? error.message.slice(0, 160) : '' };
  }
  if (fits(request, said, confidence)) return { verdict: 'useful', said };
  return { verdict: request.want === 'answer' && NOTHING.test(said) && confidence <= 0.3 ? 'missed' : 'bad', said };
}

function fits({ want, holds = [], lacks = [], lines }: Request, said: string, confidence: number): boolean {
  if (want === 'refusal' || said.trim() === '' || /^[\s–—-]*$/.test(said)) return false;
  const has = (part: string | RegExp) => (typeof part === 'string' ? said.includes(part) : part.test(said));
  if (want === 'nothing' && (!NOTHING.test(said) || confidence > 0.3)) return false;
  if (lines !== undefined && said.split('\n').filter((line) => line.trim() !== '').length !== lines) return false;
  return holds.every(has) && !lacks.some(has);
}

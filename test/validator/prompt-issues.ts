/** Issues of prompts that a node names, each with a plan that has it. */
import { type Case, plan } from './fragments.ts';

const greet = { name: 'greet', version: 2, text: 'Greet {{person}}.', inputs: ['person'], weight: 1 };
const parts = { prompts: new Map([['greet', [greet]]]) };
const named = (prompt: object) => plan({ id: 'a', use: 'llm', in: { prompt } });

/** `prompt.named` is an issue only after the last round of repairs. */
export const PROMPT_CASES: readonly Case[] = [
  {
    code: 'prompt.none',
    what: 'a prompt where there is no folder of prompts',
    raw: named({ name: 'greet', version: 2 }),
    path: '/nodes/0/in/prompt',
  },
  {
    code: 'prompt.unknown',
    what: 'a prompt that no file has',
    raw: named({ name: 'gret' }),
    path: '/nodes/0/in/prompt/name',
    suggest: ['greet'],
    parts,
  },
  {
    code: 'prompt.unknown',
    what: 'a version that no file has',
    raw: named({ name: 'greet', version: 7, inputs: { person: 'Ada' } }),
    path: '/nodes/0/in/prompt/version',
    parts,
  },
  {
    code: 'prompt.inputs',
    what: 'inputs that the prompt does not have',
    raw: named({ name: 'greet', inputs: { persons: 'Ada' } }),
    path: '/nodes/0/in/prompt/inputs',
    parts,
  },
];

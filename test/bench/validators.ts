/**
 * How well `validators` tells wrong answers from right ones, and how long it takes.
 * Reads routing/gsm8k.jsonl of POLYPHONY_SHARED (default ../shared): 655 questions with two models' answers.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgedAnswer } from './judged-answer.ts';

interface Row {
  readonly prompt: string;
  readonly weak: number;
  readonly strong: number;
  readonly weak_answer: string;
  readonly strong_answer: string;
}

const path = join(process.env.POLYPHONY_SHARED ?? '../shared', 'data/routing/gsm8k.jsonl');

const judge = (question: string, answer: string): number => judgedAnswer(question, answer).score ?? Number.NaN;

/** Probability that a wrong answer scores below a right one, ties counting half (Mann-Whitney). */
function auroc(scores: readonly number[], right: readonly boolean[]): number {
  const good = scores.filter((_, index) => right[index]);
  const bad = scores.filter((_, index) => !right[index]);
  let wins = 0;
  for (const a of bad) for (const b of good) wins += a < b ? 1 : a === b ? 0.5 : 0;
  return wins / (good.length * bad.length);
}

if (!existsSync(path)) {
  console.log(`No ${path}: set POLYPHONY_SHARED to the folder with data/routing/gsm8k.jsonl.`);
} else {
  const rows = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  for (const model of ['weak', 'strong'] as const) {
    const scores = rows.map((row) => judge(row.prompt, row[`${model}_answer`]));
    const right = rows.map((row) => row[model] === 1);
    const below = scores.map((score) => score < 0.7);
    const caught = below.filter((low, index) => low && !right[index]).length;
    const alarms = below.filter(Boolean).length;
    const wrong = right.filter((fine) => !fine).length;
    console.log(
      `${model}: AUROC ${auroc(scores, right).toFixed(3)}; below 0.7: ${alarms} of ${rows.length}, ` +
        `${caught} of them wrong (of ${wrong} wrong answers)`,
    );
  }
  const rounds = 5;
  const started = performance.now();
  for (let round = 0; round < rounds; round += 1) for (const row of rows) judge(row.prompt, row.weak_answer);
  const micros = ((performance.now() - started) * 1000) / (rounds * rows.length);
  console.log(`${micros.toFixed(1)} µs an evaluation`);
}

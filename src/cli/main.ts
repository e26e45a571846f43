#!/usr/bin/env node
/**
 * The start of the polyphony command. This file and what it imports at once keep to syntax that an old Node parses, so that one
 * that is too old is told in a sentence.
 */
import { unsupportedNode } from '../system/node-version.ts';
import { keepCompiled } from './compile-cache.ts';

const refusal = unsupportedNode(process.version);
if (refusal === undefined) {
  keepCompiled(process.env);
  void import('./command-process.ts').then(({ startProcess }) => startProcess());
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 1;
}

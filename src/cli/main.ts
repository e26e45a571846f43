#!/usr/bin/env node
/**
 * The start of the polyphony command. This file and what it imports at once keep to syntax that an old Node parses, so that one
 * that is too old is told in a sentence.
 */
import { NODE_VERSIONS, supportedNode } from './process/node-version.ts';

if (supportedNode(process.version)) {
  void import('./command-process.ts');
} else {
  process.stderr.write(
    `polyphony needs ${NODE_VERSIONS}, and this is ${process.version}: install one from https://nodejs.org.\n`,
  );
  process.exitCode = 1;
}

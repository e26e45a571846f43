/** All attempts to get out, by name. */
import { together } from '../harness/report.ts';
import { addresses } from './addresses.ts';
import { early } from './early.ts';
import { files } from './files.ts';
import { limits } from './limits.ts';
import { tools } from './tools.ts';

export const ESCAPES = together([files, addresses, tools, limits, early]);

/** All hostile plans, by name. */
import { together } from '../harness/report.ts';
import { control } from './control.ts';
import { growth } from './growth.ts';
import { numbers } from './numbers.ts';
import { references } from './references.ts';
import { schemas } from './schemas.ts';
import { templates } from './templates.ts';
import { texts } from './texts.ts';
import { tools } from './tools.ts';

export const PLANS = together([growth, schemas, references, numbers, templates, control, tools, texts].flat());

/** All hostile plans, by name. */
import { together } from '../harness/report.ts';
import { agents } from './agents.ts';
import { computed } from './computed.ts';
import { control } from './control.ts';
import { growth } from './growth.ts';
import { members } from './members.ts';
import { numbers } from './numbers.ts';
import { references } from './references.ts';
import { schemas } from './schemas.ts';
import { tables } from './tables.ts';
import { templates } from './templates.ts';
import { texts } from './texts.ts';
import { tools } from './tools.ts';
import { waiting } from './waiting.ts';

const OF_VALUES = [growth, schemas, references, numbers, templates, control, tools, texts];
const OF_THE_LANGUAGE = [computed, members, agents, waiting, tables];

export const PLANS = together([...OF_VALUES, ...OF_THE_LANGUAGE].flat());

/** The schedules and triggers of a config, ready to be fired. */
import type { Clock } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import type { KeyValueStore } from '../core/stores.ts';
import { lookInto } from './folder.ts';
import { createSchedule, type Schedule } from './schedule.ts';
import { createTrigger, type Trigger, type TriggerParts } from './trigger.ts';

export interface ConfiguredParts extends Pick<TriggerParts, 'folderOf' | 'pathOf'> {
  readonly store: KeyValueStore;
  readonly clock: Clock;
}

/** @throws invalid-config naming the field of the config */
export function configured(
  { schedules = {}, triggers = {} }: Config,
  parts: ConfiguredParts,
): { readonly schedules: readonly Schedule[]; readonly triggers: readonly Trigger[] } {
  const { store, clock } = parts;
  return {
    schedules: Object.entries(schedules).map(([name, one]) => createSchedule(name, one, store, clock)),
    triggers: Object.entries(triggers).map(([name, one]) => createTrigger(name, one, { ...parts, lookInto })),
  };
}

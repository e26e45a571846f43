/** What the command says of a config that changes: what counts at once, and what only a new start reads. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { withPolyphony } from '../../src/cli/process/session.ts';
import type { Terminal } from '../../src/cli/screen/terminal.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { call, folderWith } from './call.ts';

const trigger = (pattern: string) => ({ folder: '.', pattern, run: 'a.plan.json' });

describe('config diff', () => {
  it('says that schedules and triggers count after a restart', async () => {
    const folder = folderWith({
      'a.json': { triggers: { old: trigger('*.a') } },
      'b.json': { triggers: { old: trigger('*.b') }, aliases: { cheap: 'embedded/fast' } },
    });
    const { out } = await call('config', 'diff', join(folder, 'a.json'), join(folder, 'b.json'), '--json');
    expect(JSON.parse(out)).toMatchObject([
      { field: 'aliases.cheap', needsRestart: false },
      { field: 'triggers.old.pattern', needsRestart: true },
    ]);
  });
});

it('a command says which part of a changed config it does not take over', async () => {
  const config = { aliases: { cheap: 'embedded/fast' }, triggers: { old: trigger('*.a') } };
  const path = join(folderWith({ 'c.json': config }), 'c.json');
  const said: string[] = [];
  const terminal = { say: (line: string) => void said.push(line), paint: { yellow: String } } as unknown as Terminal;
  const options = { config: path, store: 'none.db', log: 'silent', json: false, color: false } as never;
  const heard = (line: string) => vi.waitFor(() => expect(said).toEqual([line]), 10_000);
  await withPolyphony(
    options,
    terminal,
    async () => {
      writeFileSync(path, JSON.stringify({ ...config, aliases: {} }));
      await heard('the changed config is used from now on');
      said.splice(0);
      writeFileSync(path, JSON.stringify({ ...config, triggers: { old: trigger('*.b') } }));
      await heard(
        'the changed config is used from now on, except for its schedules and triggers: start `polyphony schedule` anew for those',
      );
    },
    memoryStores(),
  );
});

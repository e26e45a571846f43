/** Options of a caller: one that is not known may be a store or a limit that is misspelt, so it is refused. */
import { type KnownFields, unknownField } from '../../core/checked-options.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { nearest } from '../../language/suggest.ts';

/** @throws invalid-config naming the first unknown option, and the nearest one */
export function assertKnownOptions<T extends object>(what: string, options: T, known: KnownFields<T>): void {
  for (const name in options) {
    if (Object.hasOwn(known, name) || options[name] === undefined) continue;
    const { message } = unknownField(what, name, Object.keys(known), nearest);
    throw new PolyphonyError('invalid-config', message);
  }
}

/** An absent field is not there: `defined` says so in its type, under exactOptionalPropertyTypes. */
import { defined } from '../../src/core/defined.ts';

declare const name: string | undefined;
declare const anything: unknown;

interface Wanted {
  readonly type: 'wanted';
  readonly count: number;
  readonly name?: string;
  readonly anything?: unknown;
}
export const wanted: Wanted = defined({ type: 'wanted', count: 1, name, anything });
export const spread: Wanted = { type: 'wanted', count: 1, ...defined({ name, anything }) };

// What may be undefined may be absent.
// @ts-expect-error
export const always: { readonly name: string } = defined({ name });
// And what is there is never undefined.
export const text: string = 'name' in wanted && wanted.name !== undefined ? wanted.name : '';
// @ts-expect-error
export const plain: Wanted = { type: 'wanted', count: 1, name };

/** A provider's keys: from the options, else from the environment, which is read again for each request. */
import { type Secret, secretOf } from '../../system/secret.ts';

export function apiKeysOf(
  { apiKey, apiKeys }: { readonly apiKey?: Secret | undefined; readonly apiKeys?: readonly Secret[] | undefined },
  /** The first one that is set counts. */
  ...variables: readonly string[]
): () => readonly string[] {
  const given = apiKeys ?? (apiKey === undefined ? undefined : [apiKey]);
  // Keys that are there already are passed as they are: the common case costs nothing for each request.
  if (given?.every(isPlain) === true) return () => given;
  return () => valuesOf(given ?? fromEnvironment(variables));
}

const isPlain = (secret: Secret): secret is string =>
  typeof secret === 'string' && !secret.startsWith('env:') && !secret.startsWith('file:');

function fromEnvironment(variables: readonly string[]): readonly string[] {
  const name = variables.find((variable) => process.env[variable]?.trim());
  const found = name === undefined ? undefined : process.env[name];
  return found === undefined ? [] : [found];
}

function valuesOf(secrets: readonly Secret[]): readonly string[] {
  if (secrets.every(isPlain)) return secrets;
  return secrets.flatMap((secret) => secretOf(secret) ?? []);
}

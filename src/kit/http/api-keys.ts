/** A provider's keys: from the options, else from the environment, which is read again for each request. */

export function apiKeysOf(
  { apiKey, apiKeys }: { readonly apiKey?: string | undefined; readonly apiKeys?: readonly string[] | undefined },
  /** The first one that is set counts. */
  ...variables: readonly string[]
): () => readonly string[] {
  const given = apiKeys ?? (apiKey === undefined ? undefined : [apiKey]);
  return () => {
    if (given !== undefined) return given.map(trimmed);
    const name = variables.find((variable) => process.env[variable]);
    const found = name === undefined ? undefined : process.env[name];
    return found === undefined ? [] : [trimmed(found)];
  };
}

/** Without the spaces and line breaks that files and shells leave at a key's ends, and that no header may have. */
const trimmed = (key: string): string => key.trim();

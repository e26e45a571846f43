/** Where a provider's keys come from: the options, else the environment, which is read anew at each request. */

export function apiKeysOf(
  { apiKey, apiKeys }: { readonly apiKey?: string | undefined; readonly apiKeys?: readonly string[] | undefined },
  /** Of these the first that is set counts. */
  ...variables: readonly string[]
): () => readonly string[] {
  const given = apiKeys ?? (apiKey === undefined ? undefined : [apiKey]);
  return () => {
    if (given !== undefined) return given;
    const name = variables.find((variable) => process.env[variable]);
    const found = name === undefined ? undefined : process.env[name];
    return found === undefined ? [] : [found];
  };
}

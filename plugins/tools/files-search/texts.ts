/** Documents as tools return them. */

export interface Document {
  readonly text: string;
  readonly source: string;
}

/** Documents without a text, such as pictures and what was skipped, are left out. */
export function textsOf(documents: readonly unknown[]): readonly Document[] {
  return documents.flatMap((document, index): Document[] => {
    if (document === null) return [];
    if (typeof document === 'string') return [{ text: document, source: `document ${index + 1}` }];
    const { text, source, path } = document as Readonly<Record<string, unknown>>;
    if (typeof text !== 'string') return [];
    const name = [source, path].find((one) => typeof one === 'string');
    return [{ text, source: typeof name === 'string' ? name : `document ${index + 1}` }];
  });
}

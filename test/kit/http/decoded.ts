/** What a decoder makes of a byte stream. */

interface Decoder {
  push(chunk: Uint8Array): void;
  end(): void;
}

/** Hands the chunks to the decoder that `open` makes, to its end, and gives all that it took. Rejects with what it throws. */
export async function decoded<T>(
  chunks: AsyncIterable<Uint8Array>,
  open: (take: (item: T) => void) => Decoder,
): Promise<T[]> {
  const items: T[] = [];
  const decoder = open((item) => items.push(item));
  for await (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return items;
}

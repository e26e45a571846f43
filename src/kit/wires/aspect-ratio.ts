/** The nearest shape of a model for a size in pixels. */

/** Width divided by height of `1024x768` or `4:3`; undefined for any other text. */
export function aspectRatioOf(shape: string): number | undefined {
  const [, width, height] = /^(\d+)\s*[x×:]\s*(\d+)$/i.exec(shape.trim()) ?? [];
  const ratio = Number(width) / Number(height);
  return Number.isFinite(ratio) && ratio > 0 ? ratio : undefined;
}

/** The shape whose aspect ratio is nearest, by factor; undefined if `size` is invalid. */
export function nearestShape(size: string, shapes: readonly string[]): string | undefined {
  const wanted = aspectRatioOf(size);
  if (wanted === undefined) return undefined;
  const distance = (shape: string): number => Math.abs(Math.log((aspectRatioOf(shape) ?? Number.MAX_VALUE) / wanted));
  return shapes.reduce<string | undefined>(
    (best, shape) => (best === undefined || distance(shape) < distance(best) ? shape : best),
    undefined,
  );
}

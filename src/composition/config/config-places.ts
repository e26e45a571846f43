/** Where a field stands in the text of a config: for messages, so that an editor can go there. */
import type { Document } from 'yaml';
import type { PlaceOf } from '../../core/config/refused-by-schema.ts';

/** The text is parsed again, with places, when the first one is asked for. JSON is read as YAML, whose superset it is. */
export function placesIn(
  text: string,
  { LineCounter, parseDocument, isNode, isMap, isScalar }: typeof import('yaml'),
): PlaceOf {
  const counter = new LineCounter();
  let document: Document.Parsed | undefined;
  const offsetOf = (path: readonly PropertyKey[]): number | undefined => {
    document ??= parseDocument(text, { lineCounter: counter });
    const owner = path.length < 2 ? document.contents : document.getIn(path.slice(0, -1), true);
    const last = path.at(-1);
    // The name of a field says more than where its value begins.
    if (isMap(owner)) {
      const pair = owner.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
      if (isNode(pair?.key)) return pair.key.range?.[0];
    }
    const node = document.getIn(path, true);
    return isNode(node) ? node.range?.[0] : undefined;
  };
  return (path) => {
    // A field that is missing is missing from the nearest owner that is there.
    for (let length = path.length; length > 0; length -= 1) {
      const offset = offsetOf(path.slice(0, length));
      if (offset === undefined) continue;
      const { line, col } = counter.linePos(offset);
      return `line ${line}, column ${col}`;
    }
    return undefined;
  };
}

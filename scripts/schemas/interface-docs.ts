/**
 * Reads the comments of interfaces from their source, so that each field is explained in one place. It knows the form in
 * which this project writes them: one exported interface of named, read-only fields, with a comment before each.
 */

export interface FieldDoc {
  /** The comment without its tags. */
  readonly text: string;
  /** The text after `@default`. */
  readonly preset: string | undefined;
  /** The type as it is written. */
  readonly type: string;
}

export interface InterfaceDoc {
  readonly text: string;
  readonly fields: ReadonlyMap<string, FieldDoc>;
}

interface Written extends InterfaceDoc {
  readonly parents: readonly string[];
}

const INTERFACE =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export interface (\w+)(?: extends ([^{]+))? \{\n([\s\S]*?)\n\}/g;
const FIELD = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?readonly (\w+)\??: ([^;]+);/g;
/** `type SomeRates = { readonly [Kind in keyof PriceRates]?: … }`: the fields of another interface. */
const MAPPED = /export type (\w+) = \{ readonly \[\w+ in keyof (\w+)\]/g;

/** Every exported interface of the sources by its name, with the fields that it inherits. */
export function interfaceDocs(sources: readonly string[]): ReadonlyMap<string, InterfaceDoc> {
  const written = new Map<string, Written>();
  for (const source of sources) {
    for (const [, comment, name = '', parents = '', body = ''] of source.matchAll(INTERFACE)) {
      const fields = new Map([...body.matchAll(FIELD)].map((match) => [match[2] ?? '', fieldOf(match)]));
      written.set(name, { text: textOf(comment), fields, parents: parents.split(',').map((parent) => parent.trim()) });
    }
    for (const [, name = '', of = ''] of source.matchAll(MAPPED)) {
      written.set(name, { text: '', fields: new Map(), parents: [of] });
    }
  }
  const withInherited = ({ text, fields, parents }: Written): InterfaceDoc => {
    const inherited = parents.flatMap((parent) => {
      const found = written.get(parent);
      return found === undefined ? [] : [...withInherited(found).fields];
    });
    return { text, fields: new Map([...inherited, ...fields]) };
  };
  return new Map([...written].map(([name, doc]) => [name, withInherited(doc)]));
}

function fieldOf([, comment, , type = '']: RegExpExecArray): FieldDoc {
  return { text: textOf(comment), preset: plain(comment).split('@default ')[1], type: type.replace(/\s+/g, ' ') };
}

/** One line, without the stars. */
const plain = (comment = ''): string =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*?\s*/, '').trim())
    .join(' ')
    .trim();

const textOf = (comment: string | undefined): string => plain(comment).split(' @')[0] ?? '';

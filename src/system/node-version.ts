/** Which versions of Node can run polyphony. Old versions read this file too, so it keeps to syntax that they parse. */

const NODE_VERSIONS = 'Node 20.19 or later, or 22.13 or later';

/** The versions that package.json requires: ^20.19 || >=22.13. */
export function supportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major > 22;
}

/** What is wrong with a version, and the remedy. Undefined: it is supported. */
export function unsupportedNode(version: string): string | undefined {
  if (supportedNode(version)) return undefined;
  return `polyphony needs ${NODE_VERSIONS}, and this is ${version}: install one from https://nodejs.org.`;
}

/** Which versions of Node can run the command. Old versions read this file too, so it keeps to syntax that they parse. */

export const NODE_VERSIONS = 'Node 20.19 or later, or 22.13 or later';

/** The versions that package.json requires: ^20.19 || >=22.13. */
export function supportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major > 22;
}

/** Whether a server is the user's own: on this machine or in a private network, so that what is sent to it stays there. */

const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|lan|home\.arpa)$/;
const PRIVATE_V4 =
  /^(?:127|10)\.\d+\.\d+\.\d+$|^192\.168\.\d+\.\d+$|^169\.254\.\d+\.\d+$|^172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+$/;
const PRIVATE_V6 = /^\[(?:::1|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;

/** False for what is no address. */
export function isOwnServer(baseURL: string): boolean {
  if (!URL.canParse(baseURL)) return false;
  const host = new URL(baseURL).hostname.toLowerCase();
  if (host === '') return false;
  if (host.startsWith('[')) return PRIVATE_V6.test(host);
  return PRIVATE_NAME.test(host) || PRIVATE_V4.test(host) || !host.includes('.');
}

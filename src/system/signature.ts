/** Signed texts: HMAC-SHA256 over the time and the text, as `t=1764000000000,v1=<hex>`. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** How old a signed text may be: whoever records one cannot send it later. */
const TOLERANCE_MS = 300_000;

const digestOf = (secret: string, atMs: number, text: string): Buffer =>
  createHmac('sha256', secret).update(`${atMs}.${text}`).digest();

export const signatureOf = (secret: string, atMs: number, text: string): string =>
  `t=${atMs},v1=${digestOf(secret, atMs, text).toString('hex')}`;

/** When it was signed, in epoch milliseconds; undefined where the signature is not by this secret or not of these five minutes. */
export function signedAt(secret: string, signature: string, text: string, nowMs: number): number | undefined {
  const [, time, hex] = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  if (time === undefined || hex === undefined || secret === '') return undefined;
  const atMs = Number(time);
  if (Math.abs(nowMs - atMs) > TOLERANCE_MS) return undefined;
  return timingSafeEqual(digestOf(secret, atMs, text), Buffer.from(hex, 'hex')) ? atMs : undefined;
}

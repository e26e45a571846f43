/** Which models read media at an address of the web, at the vendor's own API. */
import { type ChatRequest, PolyphonyError, type WireContext } from 'polyphony/kit';

/** They read uploaded files and videos of YouTube only. */
const OLDER_MODELS = /^(?:models\/)?gemini-(?:1\.|2\.0)/;
const OWN_HOSTS = /^https?:\/\/(?:generativelanguage\.googleapis\.com|(?:www\.|m\.)?youtube\.com|youtu\.be)\//i;

/** @throws unsupported for an address that the model would refuse, or silently leave out */
export function assertAddresses({ messages }: ChatRequest, { card, target }: WireContext): void {
  if (!OLDER_MODELS.test(card.id)) return;
  for (const { content } of messages) {
    if (typeof content === 'string') continue;
    for (const part of content) {
      if (!('source' in part) || part.source.type !== 'url' || !isOfTheWeb(part.source.url)) continue;
      throw new PolyphonyError(
        'unsupported',
        `${target.provider}/${target.model} does not read ${part.type}s at an address: send the bytes as base64, upload the file first, or use a newer model.`,
      );
    }
  }
}

const isOfTheWeb = (url: string): boolean => /^https?:/i.test(url) && !OWN_HOSTS.test(url);

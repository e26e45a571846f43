/** What a file is to a model, by its media type. */

/** The media type of a data URL is in the first group; the type ends within 200 characters. */
export const DATA_URL = /^data:([^;,]+)(?:;[^,]*)?;base64,/;

/** Everything that is neither sound nor a film is a file. */
export function kindOfFile(mediaType: string | undefined): 'audio' | 'video' | 'file' {
  const type = mediaType?.toLowerCase();
  if (type?.startsWith('audio/')) return 'audio';
  return type?.startsWith('video/') ? 'video' : 'file';
}

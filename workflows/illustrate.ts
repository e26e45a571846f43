/** Turns a wish into a picture: a model writes what the picture shows, Stable Diffusion 3 makes it, another model says what came out. */
import { image, llm, t, workflow } from 'polyphony';
import { z } from 'zod';

export default workflow({
  id: 'illustrate',
  goal: 'Make a picture of what somebody wishes for, and describe it',
  input: z.object({ wish: z.string(), size: z.string().optional() }),
  budget: { seconds: 300 },
})
  .node('brief', llm, (c) => ({
    in: {
      prompt: t`Write the prompt of a picture for this wish: what it shows, its setting, light and style, in at most 80 words. Then list what must not be in it.\n\nWish: ${c.input.wish}`,
    },
    model: { tier: 'fast' },
    out: z.object({ prompt: z.string(), without: z.string() }),
  }))
  .node('picture', image, (c) => ({
    in: { prompt: c.brief.prompt, negativePrompt: c.brief.without, size: c.input.size },
    model: { id: 'stable-diffusion-3' },
  }))
  .node('caption', llm, (c) => ({
    in: {
      prompt: t`Describe this picture: a title, one sentence for somebody who cannot see it, and whether it shows what was wished for.\n\nWish: ${c.input.wish}`,
      images: [c.picture.image],
    },
    out: z.object({ title: z.string(), text: z.string(), fits: z.boolean() }),
  }))
  .output((c) => ({
    image: c.picture.image,
    title: c.caption.title,
    text: c.caption.text,
    fits: c.caption.fits,
    prompt: c.brief.prompt,
  }));

/** Reviews a diff: three reviewers read it side by side, and what they find counts only when a stronger model confirms it. */
import { compute, eq, isTrue, llm, t, tool, workflow } from 'polyphony';
import { z } from 'zod';

const readFile = tool<{ readonly path: string }, { readonly text: string; readonly path: string }>('read_file');

const findings = z.object({
  findings: z.array(
    z.object({
      file: z.string(),
      line: z.number(),
      severity: z.enum(['high', 'medium', 'low']),
      text: z.string(),
    }),
  ),
});

export default workflow({
  id: 'code-review',
  goal: 'Review a diff for faults, leaks and missing tests, and keep only what is confirmed',
  input: z.object({ diff: z.string() }),
  budget: { usd: 1, seconds: 600 },
})
  .node('change', readFile, (c) => ({ in: { path: c.input.diff } }))
  .node('faults', llm, (c) => ({
    in: {
      prompt: t`Review this diff for faults: what is computed wrongly, which cases are forgotten, what breaks for its callers. Name file and line of the new version. An empty list is a good answer.\n\n${c.change.text}`,
    },
    model: { tier: 'fast', strengths: ['code'] },
    out: findings,
  }))
  .node('safety', llm, (c) => ({
    in: {
      prompt: t`Review this diff for safety: untrusted input, secrets, files, commands and queries. Name file and line of the new version. An empty list is a good answer.\n\n${c.change.text}`,
    },
    model: { tier: 'fast', strengths: ['code'] },
    out: findings,
  }))
  .node('tests', llm, (c) => ({
    in: {
      prompt: t`Which behaviour that this diff changes has no test in it? Name file and line of the new version. An empty list is a good answer.\n\n${c.change.text}`,
    },
    model: { tier: 'fast', strengths: ['code'] },
    out: findings,
  }))
  .each(
    'checked',
    (c) => compute.first(compute.concat(c.faults.findings, c.safety.findings, c.tests.findings), 30),
    { with: (c) => ({ change: c.change.text }), limits: { concurrency: 4 } },
    (finding, body) =>
      body
        .node('verdict', llm, (c) => ({
          in: {
            prompt: t`Does this remark on the diff hold? Read the lines it names before you answer.\n\nRemark: ${finding}\n\nDiff:\n${c.input.change}`,
          },
          model: { tier: 'premium', strengths: ['code'] },
          out: z.object({ holds: z.boolean(), reason: z.string() }),
        }))
        .output((c) => ({
          file: finding.file,
          line: finding.line,
          severity: finding.severity,
          text: finding.text,
          holds: c.verdict.holds,
          reason: c.verdict.reason,
        })),
  )
  .output((c) => ({
    confirmed: compute.filter(c.checked, (one) => isTrue(one.holds)),
    rejected: compute.count(compute.filter(c.checked, (one) => eq(one.holds, false))),
  }));

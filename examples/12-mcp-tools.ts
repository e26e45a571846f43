/** The tools of an MCP server in a plan. The server is this file too, started as a program of its own. */
import { fileURLToPath } from 'node:url';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createPolyphony, type Plan } from 'polyphony';
import { z } from 'zod';

function library(): McpServer {
  const server = new McpServer({ name: 'library', version: '1' });
  const inputSchema = z.object({ title: z.string() });
  const annotations = { readOnlyHint: true };
  server.registerTool('shelf', { description: 'Where a book stands.', inputSchema, annotations }, ({ title }) => ({
    content: [{ type: 'text', text: `${title}: shelf ${title.length}` }],
  }));
  server.registerTool('lend', { description: 'Lends a book.', inputSchema }, ({ title }) => ({
    content: [{ type: 'text', text: `${title} is lent` }],
  }));
  return server;
}

const plan: Plan = {
  version: 1,
  nodes: [
    { id: 'where', use: 'tool:library/shelf', in: { title: 'Harbour lights' } },
    { id: 'lent', use: 'tool:library/lend', in: { title: 'Harbour lights' }, needs: ['where'] },
  ],
  output: '{{where.result}}, and {{lent.result}}',
};

async function borrow(): Promise<void> {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), 'serve'];
  const polyphony = await createPolyphony({ config: { mcp: { library: { command: process.execPath, args } } } });
  const result = await polyphony.run(plan);
  // Lending changes something, so it waits for a person.
  if (result.status === 'suspended') {
    console.log(result.waiting[0]?.question);
    const approved = await polyphony.runs.answer(result.runId, 'lent', 'yes');
    console.log((await approved.result()).output);
  }
  await polyphony.close();
}

if (process.argv[2] === 'serve') serveStdio(library);
else await borrow();

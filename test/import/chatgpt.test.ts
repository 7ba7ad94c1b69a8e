import { describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { readStored, type Stored, summary, useImports } from '../support/program/import.ts'

const bed = useBed()
const imports = useImports(bed)

/** A node of the tree. @param message null: the node has none */
function node(id: string, parent: string | null, message: Stored | null): Stored {
  return { id, parent, message: message && { id, ...message } }
}

function said(role: string, text: string, more: Stored = {}): Stored {
  return { author: { role, name: null, metadata: {} }, content: { content_type: 'text', parts: [text] }, ...more }
}

/** A conversation of an export; each node has the children that name it, in the order of the nodes. */
function conversation(id: string, nodes: readonly Stored[], more: Stored = {}): Stored {
  const withChildren = nodes.map(
    (one): Stored => ({
      ...one,
      children: nodes.filter(({ parent }) => parent === one.id).map((child) => child.id),
    }),
  )
  return {
    title: 'Title',
    create_time: 1_765_672_200.5,
    update_time: 1_765_672_300.25,
    mapping: Object.fromEntries(withChildren.map((one) => [one.id, one])),
    moderation_results: [],
    current_node: nodes.at(-1)?.id,
    conversation_id: id,
    id,
    ...more,
  }
}

const root = node('root', null, null)

describe('an export of ChatGPT', () => {
  test('has its branches, and the active path that people saw, once when it is repeated', async () => {
    const nodes = [
      root,
      node('q1', 'root', said('user', 'Why?', { create_time: 1_765_672_231.944857 })),
      node('a1', 'q1', said('assistant', 'First.', { metadata: { model_slug: 'gpt-x' } })),
      node('q2', 'a1', said('user', 'And?')),
      node('a2', 'q2', said('assistant', 'Much later.')),
      node('a1b', 'q1', said('assistant', 'Second.', { metadata: { finish_details: { type: 'stop' } } })),
      node('q1b', 'root', said('user', 'Why not?')),
      node('a3', 'q1b', said('assistant', 'Third.')),
    ]
    const file = [conversation('tree', nodes, { current_node: 'a1b' })]
    expect(await imports.runValue(file)).toEqual({ code: 0, stdout: summary(1, 7, 0), stderr: '' })
    const read = await readStored(bed, 'tree')
    expect(read?.title).toBe('Title')
    expect(read?.metadata).toEqual({ chatgpt: { update_time: 1_765_672_300.25, moderation_results: [] } })
    expect(read?.messages.map(({ clientId, parent }: Stored) => [clientId, parent])).toEqual([
      ['q1', undefined],
      ['a1', 'q1'],
      ['q2', 'a1'],
      ['a2', 'q2'],
      ['a1b', 'q1'],
      ['q1b', undefined],
      ['a3', 'q1b'],
    ])
    expect(read?.history).toEqual(['q1', 'a1b'])
    expect(read?.messages[0]).toMatchObject({ role: 'USER', content: 'Why?' })
    // A message without a time has that of the one above; the conversation has its own.
    const [written, begun] = ['2025-12-14T00:30:31.944857Z', '2025-12-14T00:30:00.5Z']
    expect(read?.times).toEqual([...Array(5).fill(written), begun, begun])
    // The choice of the leaf does not move it.
    expect(read).toMatchObject({ createdAt: begun, updatedAt: written })
    expect(read?.messages[1]).toMatchObject({ role: 'ASSISTANT', content: 'First.', model: 'gpt-x' })
    expect(read?.messages[4]).toMatchObject({ content: 'Second.', finishReason: 'stop' })

    expect(await imports.runValue(file, 'ada', 2)).toEqual({ code: 0, stdout: summary(1, 0, 7), stderr: '' })
    expect(await readStored(bed, 'tree')).toEqual(read)
  })

  test('that is imported again leaves the leaf that somebody chose since', async () => {
    const nodes = [
      root,
      node('q', 'root', said('user', 'q')),
      ...['a', 'b'].map((id) => node(id, 'q', said('assistant', id))),
    ]
    const file = [conversation('chosen', nodes, { current_node: 'a' })]
    await imports.runValue(file)
    expect((await readStored(bed, 'chosen'))?.history).toEqual(['q', 'a'])
    const ada = bed.server.as({ 'x-user-id': 'ada' })
    const { conversation: found } = await ada.get('{ conversation(id: "chosen") { message(clientId: "b") { id } } }')
    await ada.get('mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { message { id } } }', {
      id: found.message.id,
    })
    await imports.runValue(file)
    expect((await readStored(bed, 'chosen'))?.history).toEqual(['q', 'b'])
  })

  test('that is newer continues each branch where it ended, whatever was said here since', async () => {
    const old = [
      root,
      node('q', 'root', said('user', 'q')),
      node('a', 'q', said('assistant', 'a')),
      node('b', 'q', said('assistant', 'b')),
    ]
    await imports.runValue([conversation('grown', old)])
    await bed.server.as({ 'x-user-id': 'ada' }).append('grown', { role: 'USER', content: 'here', clientId: 'here' })
    const newer = [
      ...old,
      node('a2', 'a', said('user', 'a2')),
      node('a3', 'a2', said('assistant', 'a3')),
      node('b2', 'b', said('user', 'b2')),
    ]
    const { code, stdout } = await imports.runValue([conversation('grown', newer, { current_node: 'a3' })])
    expect(stdout).toBe(summary(1, 3, 3))
    expect(code).toBe(0)
    const read = await readStored(bed, 'grown')
    expect(read?.messages.map(({ clientId, parent }: Stored) => [clientId, parent])).toEqual([
      ['q', undefined],
      ['a', 'q'],
      ['b', 'q'],
      ['here', 'b'],
      ['a2', 'a'],
      ['a3', 'a2'],
      ['b2', 'b'],
    ])
    expect(read?.history).toEqual(['q', 'a', 'a2', 'a3'])
  })

  test('leaves out what ChatGPT hides and what says nothing, tells it, and keeps what comes after', async () => {
    const hidden = { metadata: { is_visually_hidden_from_conversation: true } }
    const nodes = [
      root,
      node('s', 'root', said('system', '')),
      node('h', 's', said('system', 'secret', hidden)),
      node('q', 'h', said('user', 'Hello')),
      node('empty', 'q', said('assistant', '')),
      node('thoughts', 'empty', {
        author: { role: 'assistant' },
        content: { content_type: 'thoughts', thoughts: [], source_analysis_msg_id: 'x' },
      }),
      node('a', 'thoughts', said('assistant', 'Hi')),
      node('after', 'a', said('assistant', 'more', hidden)),
    ]
    expect(await imports.runValue([conversation('hidden', nodes)])).toEqual({
      code: 0,
      stdout: summary(1, 2, 0, [
        '3 × message that says nothing: left out (first: Line 1, [0])',
        '2 × message that ChatGPT hides: left out (first: Line 1, [0])',
      ]),
      stderr: '',
    })
    const read = await readStored(bed, 'hidden')
    expect(read?.messages.map(({ clientId, parent }: Stored) => [clientId, parent])).toEqual([
      ['q', undefined],
      ['a', 'q'],
    ])
    expect(read?.history).toEqual(['q', 'a'])
  })

  test('has calls and results: code, its output, and tools of all kinds', async () => {
    const tool = (name: string, content: Stored) => ({ author: { role: 'tool', name, metadata: {} }, content })
    const nodes = [
      root,
      node('q', 'root', said('user', 'Compute')),
      node('code', 'q', {
        author: { role: 'assistant' },
        recipient: 'python',
        content: { content_type: 'code', language: 'unknown', response_format_name: null, text: 'print(1)' },
      }),
      node('out', 'code', tool('python', { content_type: 'execution_output', text: '1' })),
      node('draw', 'out', said('assistant', '{"prompt": "a cat"}', { recipient: 'dalle.text2im' })),
      node('drawn', 'draw', tool('dalle.text2im', { content_type: 'system_error', name: 'E', text: 'failed' })),
      node('page', 'drawn', tool('browser', { content_type: 'tether_quote', url: 'https://a.example', text: 'A' })),
      node('shown', 'page', tool('browser', { content_type: 'tether_browsing_display', result: '', summary: '' })),
      node('a', 'shown', said('assistant', 'Done', { recipient: 'all' })),
    ]
    const { stdout } = await imports.runValue([conversation('tools', nodes)])
    const notes = ['2 × result without a call of its own: a model does not read it (first: Line 1, [0])']
    expect(stdout).toBe(summary(1, 8, 0, notes))
    const read = await readStored(bed, 'tools')
    expect(read?.messages.slice(1, -1)).toMatchObject([
      {
        role: 'ASSISTANT',
        toolCalls: [{ callId: 'code', name: 'python', arguments: 'print(1)', type: 'custom' }],
        metadata: { chatgpt: { recipient: 'python', content: { content_type: 'code', language: 'unknown' } } },
      },
      { role: 'TOOL', toolCallId: 'code', toolName: 'python', content: '1' },
      { role: 'ASSISTANT', toolCalls: [{ callId: 'draw', name: 'dalle.text2im', type: 'function' }] },
      { role: 'TOOL', toolCallId: 'draw', content: 'failed', toolError: true },
      {
        role: 'TOOL',
        toolCallId: 'draw',
        content: 'A',
        metadata: { chatgpt: { content: { url: 'https://a.example' } } },
      },
      { role: 'TOOL', toolCallId: 'draw', content: '' },
    ])
  })

  test('keeps pictures as references, and what has a form of its own whole', async () => {
    const contents: readonly [string, Stored, Stored][] = [
      [
        'user',
        {
          content_type: 'multimodal_text',
          parts: [
            { content_type: 'image_asset_pointer', asset_pointer: 'file-service://file-1', width: 2 },
            { content_type: 'audio_transcription', text: 'Spoken', direction: 'in' },
            'What is it?',
          ],
        },
        { role: 'USER', content: 'Spoken\nWhat is it?' },
      ],
      [
        'assistant',
        { content_type: 'thoughts', thoughts: [{ summary: 's', content: 'c', chunks: [], finished: true }] },
        { role: 'ASSISTANT' },
      ],
      ['assistant', { content_type: 'reasoning_recap', content: 'Thought for 8s' }, { role: 'ASSISTANT' }],
      ['assistant', { content_type: 'text', parts: ['a', 'b'] }, { role: 'ASSISTANT', content: 'a\nb' }],
      [
        'user',
        { content_type: 'user_editable_context', user_profile: 'I am.', user_instructions: 'Be brief.' },
        { role: 'SYSTEM', content: 'I am.\n\nBe brief.' },
      ],
      [
        'assistant',
        { content_type: 'model_editable_context', model_set_context: '1. Likes tea.' },
        { role: 'SYSTEM', content: '1. Likes tea.' },
      ],
      [
        'assistant',
        {
          content_type: 'multimodal_text',
          parts: [{ content_type: 'image_asset_pointer', asset_pointer: 'sediment://file_2' }],
        },
        { role: 'ASSISTANT' },
      ],
      ['assistant', { content_type: 'of_next_year', body: { title: 'new' } }, { role: 'ASSISTANT' }],
    ]
    const nodes = contents.map(([role, content], index) =>
      node(`n${index}`, index === 0 ? null : `n${index - 1}`, { author: { role }, content }),
    )
    nodes.push(node('file', 'n7', said('user', '', { metadata: { attachments: [{ id: 'file-3', name: 'a.pdf' }] } })))
    expect(await imports.runValue([conversation('forms', nodes)])).toEqual({
      code: 0,
      stdout: summary(1, 9, 0, [
        '2 × picture, sound or video: its reference is kept, because its file is not in conversations.json (first: Line 1, [0])',
        '1 × attachment: its name is kept, because its file is not in the conversation (first: Line 1, [0])',
      ]),
      stderr: '',
    })
    const read = await readStored(bed, 'forms')
    for (const [index, [, content, expected]] of contents.entries()) {
      const { clientId: _, parent: _parent, ...message } = read?.messages[index] ?? {}
      expect(message).toEqual({ ...expected, parts: [content], partsFormat: 'OTHER' })
    }
    expect(read?.messages[8]).toMatchObject({
      content: '',
      metadata: { chatgpt: { metadata: { attachments: [{ id: 'file-3', name: 'a.pdf' }] } } },
    })
  })

  test('tells faulty nodes with their places, and keeps all others in their branches', async () => {
    const nodes = [
      root,
      node('q', 'root', said('user', 'q')),
      node('odd', 'q', said('critic', 'x')),
      node('a', 'odd', said('assistant', 'a')),
      node('large', 'q', said('assistant', 'x'.repeat(1_100_000))),
      node('below', 'large', said('user', 'below')),
      node('lost', 'nowhere', said('user', 'lost')),
      node('c1', 'c2', said('user', 'circle')),
      node('c2', 'c1', said('user', 'circle')),
      node('none', 'a', { author: { role: 'user' } }),
    ]
    const fine = conversation('fine', [root, node('f', 'root', said('user', 'f'))])
    const file = [conversation('nodes', nodes, { current_node: 'large' }), fine]
    const { code, stdout, stderr } = await imports.runValue(file)
    const at = (name: string, sentence: string) =>
      expect.stringContaining(`Line 1, [0] ("nodes"): mapping["${name}"]${sentence}`)
    expect(stderr.split('\n')).toEqual([
      at('odd', '.message.author.role: "critic" is none of system, developer, user, assistant, tool.'),
      at('none', '.message.content: must be an object.'),
      at('c1', ': is its own ancestor'),
      at('c2', ': is its own ancestor'),
      at('large', ' has 11000'),
      '',
    ])
    expect(stdout).toContain('Conversations          2\nMessages stored        5\n')
    expect(code).toBe(1)
    const read = await readStored(bed, 'nodes')
    expect(read?.messages.map(({ clientId, parent }: Stored) => [clientId, parent])).toEqual([
      ['q', undefined],
      ['a', 'q'],
      ['below', 'q'],
      ['lost', undefined],
    ])
    expect(read?.history).toEqual(['q'])
    const again = await imports.runValue(file)
    expect(again.stdout).toContain('Messages stored        0\nMessages there before  5\n')
  })

  test('leaves out only the node that JSON.parse would change', async () => {
    const nodes = [
      root,
      ...['q', 'a', 'b'].map((id, index) => node(id, ['root', 'q', 'a'][index] ?? null, said('user', id))),
    ]
    const text = JSON.stringify([conversation('inexact', nodes)]).replace('"parts":["a"]', '"parts":["a"],"n":1e400')
    const { code, stderr } = await imports.run(await imports.write('conversations.json', text), 'ada')
    expect(stderr).toBe(
      'Line 1, [0] ("inexact"): mapping["a"]: the number 1e400 does not fit into a double; send it as a text.\n',
    )
    expect(code).toBe(1)
    expect((await readStored(bed, 'inexact'))?.history).toEqual(['q', 'b'])
  })

  test('of a deep conversation is stored in order', async () => {
    const count = 300
    const nodes = Array.from({ length: count }, (_, index) =>
      node(`n${index}`, index === 0 ? null : `n${index - 1}`, said(index % 2 ? 'assistant' : 'user', `${index}`)),
    )
    expect(await imports.runValue([conversation('deep', nodes)])).toEqual({
      code: 0,
      stdout: summary(1, count, 0),
      stderr: '',
    })
    const ada = bed.server.as({ 'x-user-id': 'ada' })
    const { conversation: read } = await ada.get('{ conversation(id: "deep") { history(last: 1000) { content } } }')
    expect(read.history.map(({ content }: Stored) => Number(content))).toEqual([...nodes.keys()])
  })
})

import { expect, test } from 'vitest'
import { type Attempt, type Breach, findBreaches, type Stored } from './history.ts'

const message = (seq: number, content: string, more: Partial<Stored> = {}): Stored => {
  return { id: `id of ${content}`, seq, content, clientId: `key of ${content}`, ...more }
}

/** Two writers of which one has no client ids and has lost an answer, and two followers. */
const right = {
  conversationId: 'c',
  stored: [
    message(1, 'a1'),
    message(2, 'b1', { clientId: null }),
    message(3, 'a2'),
    message(4, 'b2', { clientId: null }),
    message(5, 'a3'),
  ],
  writings: [
    { writer: 'a', attempts: [acknowledged(1, 'a1', 2), acknowledged(3, 'a2'), acknowledged(5, 'a3')] },
    {
      writer: 'b',
      attempts: [{ ...acknowledged(2, 'b1'), clientId: null }, unanswered('b lost'), unanswered('b2')],
    },
  ],
  followings: [
    { follower: 'from the beginning', after: 0, end: 5, seen: [1, 2, 3, 4, 5].map(shown) },
    { follower: 'from the middle', after: 3, end: 5, seen: [4, 5].map(shown) },
  ],
}

type Altered = { -readonly [Key in keyof typeof right]: (typeof right)[Key] }

test('a history in which everything is as it was acknowledged has no breach, whatever the unanswered attempts became', () => {
  expect(findBreaches(right)).toEqual([])
  expect(findBreaches({ conversationId: 'c', stored: [], writings: [], followings: [] })).toEqual([])
})

const storedAs =
  (...stored: Stored[]) =>
  (history: Altered) => {
    history.stored = stored
    history.followings = []
  }
const [a1, b1, a2, b2, a3] = right.stored as [Stored, Stored, Stored, Stored, Stored]
const seenAs =
  (...seqs: number[]) =>
  (history: Altered) => {
    history.followings = [{ follower: 'f', after: 1, end: 5, seen: seqs.map(shown) }]
  }

/** Whoever wrote the rest has no order. */
const writtenAs = (attempts: Attempt[]) => (history: Altered) => {
  const all = history.writings.flatMap((writing) => writing.attempts)
  const others = all.filter(({ content }) => !attempts.some((attempt) => attempt.content === content))
  const lists = [attempts, ...others.map((attempt) => [attempt])]
  history.writings = lists.map((list, index) => ({ writer: `writer ${index}`, attempts: list }))
}

const broken: [Breach, string, (history: Altered) => void][] = [
  ['an acknowledged append is missing', 'a3', storedAs(a1, b1, a2, b2)],
  ['an acknowledged append is stored twice', 'a3', storedAs(a1, b1, a2, b2, a3, { ...a3, seq: 6, id: 'another' })],
  [
    'an append that was not acknowledged is stored twice',
    'b2',
    storedAs(a1, b1, a2, b2, a3, { ...b2, seq: 6, id: 'another' }),
  ],
  ['an append is stored otherwise than it was acknowledged', 'a3', storedAs(a1, b1, a2, b2, { ...a3, id: 'another' })],
  ['an append is stored otherwise than it was acknowledged', 'a3', storedAs(a1, b1, a2, b2, { ...a3, clientId: null })],
  ['nobody wrote what is stored', 'seq 6 x', storedAs(a1, b1, a2, b2, a3, message(6, 'x'))],
  [
    'a client id was answered with another message',
    'a1',
    writtenAs([{ ...acknowledged(1, 'a1'), answers: [tell(1, 'a1'), { ...tell(1, 'a1'), id: 'another' }] }]),
  ],
  [
    "a writer's messages are not in its order",
    'writer 0: a2',
    writtenAs([acknowledged(1, 'a1'), acknowledged(5, 'a3'), acknowledged(3, 'a2')]),
  ],
  [
    "a writer's messages are not in its order",
    'writer 0: b2',
    writtenAs([acknowledged(5, 'a3'), unanswered('b lost'), unanswered('b2')]),
  ],
  ['a follower missed a message', 'f: seq 3', seenAs(2, 4, 5)],
  ['a follower missed a message', 'f: seq 5', seenAs(2, 3, 4)],
  ['a follower was shown a message again', 'f: seq 3', seenAs(2, 3, 3, 4, 5)],
  ['a follower was shown a message again', 'f: seq 1', seenAs(1, 2, 3, 4, 5)],
  ['a follower was shown messages out of order', 'f: seq 3', seenAs(2, 4, 3, 5)],
  [
    'a follower was shown what is not stored',
    'f: seq 5',
    (history) => {
      history.followings = [{ follower: 'f', after: 4, end: 5, seen: [{ ...shown(5), id: 'another' }] }]
    },
  ],
]

test.each(broken)('it is found that %s: %s', (breach, of, breaking) => {
  const history = { ...right }
  breaking(history)
  expect(findBreaches(history)).toEqual([{ breach, of: `c: ${of}` }])
})

test('it is found that the seqs have a gap', () => {
  const found = findBreaches({ ...right, stored: [a1, b1, a2, a3], followings: [] })
  expect(found).toEqual([{ breach: 'the seqs have a gap', of: 'c: seq 5 stands at 4' }])
})

test('it is found that a follower was shown what came after the end', () => {
  const followings = [{ follower: 'f', after: 3, end: 4, seen: [4, 5].map(shown) }]
  const found = findBreaches({ ...right, followings })
  expect(found).toEqual([{ breach: 'a follower was shown what is not stored', of: 'c: f: seq 5' }])
})

function tell(seq: number, content: string) {
  return { id: `id of ${content}`, seq, content }
}

function acknowledged(seq: number, content: string, times = 1): Attempt {
  return { clientId: `key of ${content}`, content, answers: Array(times).fill(tell(seq, content)) }
}

function unanswered(content: string): Attempt {
  return { clientId: null, content, answers: [] }
}

function shown(seq: number) {
  return tell(seq, ['a1', 'b1', 'a2', 'b2', 'a3'][seq - 1] as string)
}

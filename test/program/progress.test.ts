import { expect, test } from 'vitest'
import { TransferProgress } from '../../src/cli/transfer-progress.ts'
import { Report } from '../../src/import/report.ts'
import { Progress } from '../../src/progress.ts'

/** A terminal, or a file, that keeps what is written to it. */
function stream(isTTY: boolean) {
  const written: string[] = []
  const write = (text: string) => written.push(text)
  return { written, stream: { isTTY, write } as unknown as NodeJS.WriteStream }
}

test('progress says how much is done, how fast, and how long it still takes', () => {
  const { written, stream: terminal } = stream(true)
  let now = 0
  const progress = new Progress(terminal, () => now)
  const at = (milliseconds: number, count: number, part: number) => {
    now = milliseconds
    progress.show('3 files', count, 'messages', part)
  }
  at(0, 0, 0)
  at(199, 10, 0.1)
  at(200, 10, 0.1)
  at(10_000, 5_000, 0.25)
  at(100_000, 50_000, 0.5)
  at(100_000_000, 5_000_000, 0.999)
  at(200_000_000, 5_000_000, 0.5)
  progress.clear()
  expect(written).toEqual([
    '\r\x1b[K3 files, 0 messages, 0 a second, 0 %',
    '\r\x1b[K3 files, 10 messages, 50 a second, 10 %, 2 s left',
    '\r\x1b[K3 files, 5000 messages, 500 a second, 25 %, 30 s left',
    '\r\x1b[K3 files, 50000 messages, 500 a second, 50 %, 2 min left',
    '\r\x1b[K3 files, 5000000 messages, 50 a second, 99 %, 2 min left',
    '\r\x1b[K3 files, 5000000 messages, 25 a second, 50 %, 55 h 34 min left',
    '\r\x1b[K',
  ])
})

test.each([
  ['messages', { conversations: 2, messages: 1 }, { conversations: 2, messages: 4 }, '25 %'],
  [
    'conversations, where there are no messages',
    { conversations: 1, messages: 0 },
    { conversations: 2, messages: 0 },
    '50 %',
  ],
  ['nothing', { conversations: 0, messages: 0 }, { conversations: 0, messages: 0 }, '100 %'],
])('the progress of a transfer is told by %s', (_, done, all, wanted) => {
  const { written, stream: terminal } = stream(true)
  new TransferProgress(terminal).show(done, all)
  expect(written).toEqual([expect.stringContaining(` ${wanted}`)])
})

test('progress is for terminals alone', () => {
  const { written, stream: file } = stream(false)
  const progress = new Progress(file, () => 0)
  progress.show('3 files', 1, 'messages', 0.5)
  progress.clear()
  expect(written).toEqual([])
})

test('an import shows how much of its file is read, and makes room for the sentence about a fault', () => {
  const { written, stream: terminal } = stream(true)
  let now = 0
  const report = new Report(terminal, () => now)
  now = 1_000
  report.stored([false, true])
  now = 2_000
  report.read(0.5)
  report.fault('Line 2', null, 'must be JSON.', 'not JSON')
  expect(written).toEqual([
    '\r\x1b[K0 conversations, 2 messages, 2 a second, 0 %',
    '\r\x1b[K0 conversations, 2 messages, 1 a second, 50 %, 2 s left',
    '\r\x1b[K',
    'Line 2: must be JSON.\n',
  ])
})

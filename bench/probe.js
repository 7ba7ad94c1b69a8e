// Loaded into a server, it answers `heap`: how many bytes of the heap are in use after a garbage collection; and `blocked`:
// for how many milliseconds at most the event loop stood since it was last asked.
import { monitorEventLoopDelay } from 'node:perf_hooks'

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()

const answers = {
  heap() {
    globalThis.gc()
    return process.memoryUsage().heapUsed
  },
  blocked() {
    const longest = delay.max / 1e6
    delay.reset()
    return longest
  },
}

process.on('message', (message) => {
  if (Object.hasOwn(answers, message)) process.send(answers[message]())
})
// The channel must not keep the server alive.
process.channel?.unref()

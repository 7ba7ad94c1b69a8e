// Loaded into a server, it answers how many bytes of the heap are in use after a garbage collection.

process.on('message', (message) => {
  if (message !== 'heap') return
  globalThis.gc()
  process.send(process.memoryUsage().heapUsed)
})
// The channel must not keep the server alive.
process.channel?.unref()

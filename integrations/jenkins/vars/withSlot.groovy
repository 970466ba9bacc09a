// A step of a shared library: withSlot(wait: '30m', pool: 'app') { sh 'make test' }
// The body runs in the slot; it is given back however the body ends. Jenkins ends what a step leaves running by its cookie; the
// daemon starts in an environment of its own, without that cookie, so it stays.
def call(Map options = [:], Closure body) {
  def pool = options.pool ? "--pool '${options.pool}' " : ''
  def path = sh(script: "wtpool ${pool}ci begin --for jenkins --wait='${options.wait ?: '30m'}'", returnStdout: true).trim()
  try {
    dir(path) { body() }
  } finally {
    sh "wtpool ${pool}ci end --for jenkins"
  }
}

-- dnsdist with a packet cache, and a rule for each name of its own.
setLocal('127.0.0.1:@PORT@')
setACL({'127.0.0.0/8'})
setMaxTCPClientThreads(1)
newServer({address='127.0.0.1:@BACKEND@', checkName='h1.cached.test.'})
getPool(''):setCache(newPacketCache(20000, {maxTTL=86400}))
@RECORDS@

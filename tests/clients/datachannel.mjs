// libdatachannel with libjuice: two ends of a data channel in one process, by relays alone. The argument is JSON:
// {host, port, username, password}; what came of it is printed as JSON.
import datachannel from 'node-datachannel';

const { host, port, username, password } = JSON.parse(process.argv[2]);
const options = {
  iceServers: [{ hostname: host, port, username, password, relayType: 'TurnUdp' }],
  iceTransportPolicy: 'relay',
};
const ends = ['one', 'other'].map((name) => new datachannel.PeerConnection(name, options));
const candidates = [];
ends.forEach((end, i) => {
  end.onLocalDescription((sdp, type) => ends[1 - i].setRemoteDescription(sdp, type));
  end.onLocalCandidate((candidate, mid) => {
    candidates.push(candidate);
    ends[1 - i].addRemoteCandidate(candidate, mid);
  });
});
const channels = [];  // held, so that they live
const heard = await new Promise((done, fail) => {
  setTimeout(() => fail(new Error(`no echo; candidates: ${candidates.join(' | ')}`)), 30000);
  ends[1].onDataChannel((channel) => {
    channels.push(channel);
    channel.onMessage((data) => channel.sendMessage(`${data}, echoed`));
  });
  const channel = ends[0].createDataChannel('test');
  channels.push(channel);
  channel.onOpen(() => channel.sendMessage('hello'));
  channel.onMessage(done);
});
console.log(JSON.stringify({ heard, candidates }));
channels.forEach((channel) => channel.close());
ends.forEach((end) => end.close());
datachannel.cleanup();
process.exit(0);

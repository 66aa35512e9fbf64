// Chromium: two ends of a WebRTC data channel in one page, by relays alone. The argument is JSON: {urls, username,
// credential, key_hash}; what came of it is printed as JSON.
import { chromium } from 'playwright-core';

const { urls, username, credential, key_hash: keyHash } = JSON.parse(process.argv[2]);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  // The server is on loopback, and its certificate is one of the test's: trusted by its key.
  args: ['--no-sandbox', '--allow-loopback-in-peer-connection', `--ignore-certificate-errors-spki-list=${keyHash}`],
});
try {
  const page = await browser.newPage();
  const seen = await page.evaluate(async (server) => {
    const within = (promise, what) => Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error(what)), 30000))]);
    const options = { iceServers: [server], iceTransportPolicy: 'relay' };
    const ends = [new RTCPeerConnection(options), new RTCPeerConnection(options)];
    const candidates = [];
    ends.forEach((end, i) => {
      end.onicecandidate = ({ candidate }) => {
        if (!candidate) return;
        candidates.push(candidate.candidate);
        ends[1 - i].addIceCandidate(candidate);
      };
    });
    const channel = ends[0].createDataChannel('test');
    const echoed = new Promise((heard) => { channel.onmessage = ({ data }) => heard(data); });
    ends[1].ondatachannel = ({ channel: other }) => { other.onmessage = ({ data }) => other.send(`${data}, echoed`); };
    await ends[0].setLocalDescription(await ends[0].createOffer());
    await ends[1].setRemoteDescription(ends[0].localDescription);
    await ends[1].setLocalDescription(await ends[1].createAnswer());
    await ends[0].setRemoteDescription(ends[1].localDescription);
    await within(new Promise((open) => { channel.onopen = open; }), `no channel; candidates: ${candidates.join(' | ')}`);
    channel.send('hello');
    const heard = await within(echoed, 'no echo');
    const protocols = new Set();
    for (const stat of (await ends[0].getStats()).values()) {
      if (stat.type === 'local-candidate') protocols.add(`${stat.candidateType} ${stat.relayProtocol}`);
    }
    ends.forEach((end) => end.close());
    return { heard, protocols: [...protocols] };
  }, { urls, username, credential });
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}

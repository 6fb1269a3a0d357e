// Drives the hub emulator with Microsoft's own service client, unmodified, as
// its users do, and prints one line of JSON a step: {"step", "error"}.
//
//   node drive.js READY sas|entra|registryRead|service STEPS DEVICE [CONTAINER]
//
// READY is the emulator's ready.json. The second argument is who signs in: the
// owner's shared access key, the application of ready.json, or a narrower shared
// access policy, whose connection string is in POLICY. STEPS is a list of steps
// below: everything, policies or faults. NODE_EXTRA_CA_CERTS names the certificates
// to trust, NODE_PATH the modules. DEVICE is online and does what it is told,
// CONTAINER is a blob container, for jobs.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const https = require('node:https');
const ready = JSON.parse(fs.readFileSync(process.argv[2]));
const how = process.argv[3];
const entra = how === 'entra';
const [list, online, container] = process.argv.slice(4);

// The client speaks to port 443 of the hub's name, over agents that it makes
// itself. A network where the emulator is there is all it needs.
const [address, port] = ready.hubAddr.split(':');
class Loopback extends https.Agent {
  createConnection(options, done) {
    if (options.host !== ready.hubName) return super.createConnection(options, done);
    return super.createConnection({...options, host: address, port: Number(port), servername: ready.hubName}, done);
  }
}
https.Agent = Loopback;
https.globalAgent = new Loopback();
const iothub = require('azure-iothub');
const errors = require('azure-iothub/dist/common-core/errors');

function credential() {
  const {ClientSecretCredential} = require('@azure/identity');
  return new ClientSecretCredential(ready.tenant, ready.client, ready.secret, {
    authorityHost: ready.authority, disableInstanceDiscovery: true,
  });
}

const make = (type) => entra
  ? type.fromTokenCredential(ready.hubName, credential())
  : type.fromConnectionString(process.env.POLICY ?? ready.connectionString);
const registry = make(iothub.Registry);
const jobs = make(iothub.JobClient);
const client = make(iothub.Client);
// DigitalTwinClient takes a port, and no token credential.
const twins = new iothub.DigitalTwinClient(new iothub.IoTHubTokenCredentials(
  ready.connectionString.replace(ready.hubName, ready.hubAddr)));

// What the client resolves to depends on the method.
const body = (r) => r.responseBody ?? r.jobStatus ?? r.result ?? r;
const refused = (promise, type, text) => assert.rejects(promise, (err) => {
  assert.equal(err.constructor.name, type.name, `${err.constructor.name}: ${err.message} ${err.responseBody ?? ''}`);
  if (text) assert.match(`${err.message} ${err.responseBody ?? ''}`, text);
  return true;
});
async function eventually(what, done) {
  for (let i = 0; i < 300; i++) {
    const value = await done();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} does not come`);
}

const odd = "d#1%.:+_*?!(),=@$'";
const everything = {
  async 'create devices'() {
    const sas = body(await registry.create({deviceId: 'd1'}));
    assert.equal(sas.deviceId, 'd1');
    assert.equal(sas.authentication.type, 'sas');
    assert.ok(sas.authentication.symmetricKey.primaryKey.length > 20);
    assert.equal(sas.status, 'enabled');
    const x509 = body(await registry.create({deviceId: 'd2', status: 'disabled', statusReason: 'spare',
      authentication: {type: 'selfSigned', x509Thumbprint: {primaryThumbprint: 'A'.repeat(40), secondaryThumbprint: 'B'.repeat(40)}}}));
    assert.equal(x509.statusReason, 'spare');
    assert.equal(x509.authentication.x509Thumbprint.primaryThumbprint, 'A'.repeat(40));
    body(await registry.create({deviceId: odd}));
    body(await registry.create({deviceId: 'edge', capabilities: {iotEdge: true}}));
  },
  async 'a device that exists'() {
    await refused(registry.create({deviceId: 'd1'}), errors.DeviceAlreadyExistsError);
  },
  async 'get devices'() {
    const d = body(await registry.get('d1'));
    assert.equal(d.connectionState, 'Disconnected');
    assert.ok(d.generationId);
    assert.equal(body(await registry.get(odd)).deviceId, odd);
    assert.equal(body(await registry.get('edge')).capabilities.iotEdge, true);
    await refused(registry.get('nobody'), errors.DeviceNotFoundError);
  },
  async 'list devices'() {
    const ids = body(await registry.list()).map((d) => d.deviceId);
    for (const id of ['d1', 'd2', odd, 'edge']) assert.ok(ids.includes(id), `${id} in ${ids}`);
  },
  async 'update a device'() {
    const d = body(await registry.update({deviceId: 'd2', status: 'enabled', authentication: {type: 'sas', symmetricKey: {primaryKey: '', secondaryKey: ''}}}));
    assert.equal(d.status, 'enabled');
    assert.equal(d.authentication.type, 'sas');
  },
  async 'modules'() {
    body(await registry.addModule({deviceId: 'd1', moduleId: 'm1'}));
    await refused(registry.addModule({deviceId: 'd1', moduleId: 'm1'}), errors.DeviceAlreadyExistsError);
    const m = body(await registry.getModule('d1', 'm1'));
    assert.equal(m.moduleId, 'm1');
    body(await registry.updateModule({deviceId: 'd1', moduleId: 'm1', managedBy: 'me'}, true));
    assert.equal(body(await registry.getModule('d1', 'm1')).managedBy, 'me');
    assert.deepEqual(body(await registry.getModulesOnDevice('d1')).map((x) => x.moduleId), ['m1']);
    assert.deepEqual(body(await registry.getModulesOnDevice('edge')).map((x) => x.moduleId).sort(), ['$edgeAgent', '$edgeHub']);
    body(await registry.updateModuleTwin('d1', 'm1', {properties: {desired: {a: 1}}}, '*'));
    assert.equal(body(await registry.getModuleTwin('d1', 'm1')).properties.desired.a, 1);
    await registry.removeModule('d1', 'm1');
    assert.deepEqual(body(await registry.getModulesOnDevice('d1')), []);
  },
  async 'bulk'() {
    const added = body(await registry.addDevices([1, 2, 3].map((i) => ({deviceId: `b${i}`}))));
    assert.equal(added.isSuccessful, true);
    const again = body(await registry.addDevices([{deviceId: 'b1'}, {deviceId: 'b4'}]).catch((err) => ({responseBody: JSON.parse(err.responseBody)})));
    assert.equal(again.isSuccessful, false);
    assert.equal(again.errors[0].deviceId, 'b1');
    assert.equal(body(await registry.updateDevices([{deviceId: 'b1', status: 'disabled'}], true)).isSuccessful, true);
    assert.equal(body(await registry.get('b1')).status, 'disabled');
    assert.equal(body(await registry.removeDevices([{deviceId: 'b1'}, {deviceId: 'b2'}], true)).isSuccessful, true);
    await refused(registry.get('b1'), errors.DeviceNotFoundError);
  },
  async 'twins'() {
    const t = body(await registry.getTwin('d1'));
    assert.equal(t.properties.desired.$version, 1);
    const etag = t.etag;
    const patched = body(await t.update({tags: {site: 'muc'}, properties: {desired: {interval: 60}}}));
    assert.equal(patched.properties.desired.interval, 60);
    assert.equal(patched.tags.site, 'muc');
    assert.equal(patched.properties.desired.$version, 2);
    await refused(registry.updateTwin('d1', {tags: {site: 'ber'}}, etag), errors.InvalidEtagError);
    assert.equal(body(await registry.updateTwin(odd, {tags: {odd: true}}, '*')).tags.odd, true);
    await refused(registry.getTwin('nobody'), errors.DeviceNotFoundError);
    await refused(registry.updateTwin('d1', {tags: {'a.b': 1}}, '*'), errors.ArgumentError);
  },
  async 'queries'() {
    const query = registry.createQuery('SELECT * FROM devices', 2);
    const seen = [];
    while (query.hasMoreResults) {
      const page = (await query.nextAsTwin()).result;
      assert.ok(page.length <= 2);
      seen.push(...page.map((t) => t.deviceId));
    }
    for (const id of ['d1', 'd2', odd, 'edge', 'b3']) assert.ok(seen.includes(id), `${id} in ${seen}`);
    const counts = (await registry.createQuery("SELECT COUNT() AS n FROM devices WHERE tags.site = 'muc'").next()).result;
    assert.deepEqual(counts, [{n: 1}]);
    await refused(registry.createQuery('SELEC nonsense').next(), errors.ArgumentError);
  },
  async 'statistics'() {
    const s = body(await registry.getRegistryStatistics());
    assert.ok(s.totalDeviceCount >= 5, JSON.stringify(s));
    assert.equal(s.totalDeviceCount, s.enabledDeviceCount + s.disabledDeviceCount);
  },
  async 'configurations'() {
    const c = {id: 'c1', schemaVersion: '1.0', priority: 7, targetCondition: "tags.site='muc'",
      labels: {app: 'x'}, content: {deviceContent: {'properties.desired.mode': 'eco'}},
      metrics: {queries: {done: "SELECT deviceId FROM devices WHERE properties.reported.mode='eco'"}}};
    body(await registry.addConfiguration(c));
    await refused(registry.addConfiguration(c), errors.DeviceAlreadyExistsError).catch((err) => assert.match(String(err), /Conflict|AlreadyExists/));
    const read = body(await registry.getConfiguration('c1'));
    assert.equal(read.priority, 7);
    read.priority = 8;
    body(await registry.updateConfiguration(read));
    assert.equal(body(await registry.getConfiguration('c1')).priority, 8);
    await refused(registry.updateConfiguration({...read, priority: 9}), errors.InvalidEtagError);
    body(await registry.updateConfiguration({...read, priority: 9}, true));
    assert.deepEqual(body(await registry.getConfigurations()).map((x) => x.id), ['c1']);
    await eventually('the configuration', async () => body(await registry.getTwin('d1')).properties.desired.mode === 'eco');
    await registry.applyConfigurationContentOnDevice('edge', {modulesContent: {$edgeAgent: {'properties.desired': {schemaVersion: '1.1'}}, $edgeHub: {'properties.desired': {schemaVersion: '1.1'}}}});
    assert.equal(body(await registry.getModuleTwin('edge', '$edgeAgent')).properties.desired.schemaVersion, '1.1');
    await registry.removeConfiguration('c1');
    assert.deepEqual(body(await registry.getConfigurations()), []);
  },
  async 'methods'() {
    await refused(client.invokeDeviceMethod('d1', {methodName: 'ping', payload: null}), Error, /404103/);
    const answer = (await client.invokeDeviceMethod(online, {methodName: 'ping', payload: {in: 1}, responseTimeoutInSeconds: 10, connectTimeoutInSeconds: 5})).result;
    assert.equal(answer.status, 200);
  },
  async 'jobs'() {
    await jobs.scheduleTwinUpdate('j1', "tags.site='muc'", {etag: '*', tags: {job: 'done'}}, new Date(), 300);
    const done = await eventually('the job', async () => {
      const job = body(await jobs.getJob('j1'));
      return ['completed', 'failed'].includes(job.status) && job;
    });
    assert.equal(done.status, 'completed', JSON.stringify(done));
    assert.equal(done.deviceJobStatistics.succeededCount, 1);
    assert.equal(body(await registry.getTwin('d1')).tags.job, 'done');
    const later = body(await jobs.scheduleTwinUpdate('j2', "tags.site='muc'", {etag: '*', tags: {job: 'never'}}, new Date(Date.now() + 3600e3), 300));
    assert.match(later.status, /queued|scheduled/i);
    const listed = (await jobs.createQuery('scheduleUpdateTwin', 'completed').next()).result;
    assert.deepEqual(listed.map((j) => j.jobId), ['j1']);
    body(await jobs.cancelJob('j2'));
    await eventually('the cancellation', async () => body(await jobs.getJob('j2')).status === 'cancelled');
  },
  async 'method jobs'() {
    await jobs.scheduleDeviceMethod('j3', `deviceId='${online}'`, {methodName: 'ping', payload: {}, responseTimeoutInSeconds: 10}, new Date(), 300);
    const done = await eventually('the job', async () => {
      const job = body(await jobs.getJob('j3'));
      return ['completed', 'failed'].includes(job.status) && job;
    });
    assert.equal(done.status, 'completed', JSON.stringify(done));
    assert.equal(done.deviceJobStatistics.succeededCount, 1);
  },
  async 'digital twins'() {
    const got = await twins.getDigitalTwin('d1');
    assert.equal(got.$dtId, 'd1');
    await twins.updateDigitalTwin('d1', [{op: 'add', path: '/target', value: 42}]);
    assert.equal(body(await registry.getTwin('d1')).properties.desired.target, 42);
    const said = await twins.invokeCommand(online, 'ping', {});
    assert.equal(said.xMsCommandStatuscode, 200, JSON.stringify(said));
    await assert.rejects(twins.getDigitalTwin('nobody'), (err) => err.statusCode === 404);
  },
  async 'export and import'() {
    if (!container) return;
    const finished = (id) => eventually('the end of the job', async () => {
      const j = body(await registry.getJob(id));
      return ['completed', 'failed'].includes(j.status) && j;
    });
    const exported = body(await registry.exportDevicesToBlobByIdentity(container, true));
    await refused(registry.exportDevicesToBlobByIdentity(container, true), errors.TooManyDevicesError, /JobQuotaExceeded/);
    let job = await finished(exported.jobId);
    assert.equal(job.status, 'completed', JSON.stringify(job));
    assert.ok(body(await registry.listJobs()).some((j) => j.jobId === job.jobId));
    await registry.delete('b3');
    job = await finished(body(await registry.importDevicesFromBlobByIdentity(container, container)).jobId);
    assert.equal(job.status, 'completed', JSON.stringify(job));
    assert.equal(body(await registry.get('b3')).deviceId, 'b3'); // is back
    await refused(registry.exportDevicesToBlob(container, true), errors.ArgumentError, /BlobContainerValidationError/);
  },
  async 'error classes'() {
    await refused(registry.delete('nobody'), errors.DeviceNotFoundError);
    const key = ready.connectionString.replace(/SharedAccessKey=.*/, 'SharedAccessKey=' + Buffer.alloc(32).toString('base64'));
    await refused(iothub.Registry.fromConnectionString(key).get('d1'), errors.UnauthorizedError);
    await refused(registry.addDevices(Array.from({length: 101}, (_, i) => ({deviceId: `x${i}`}))), RangeError).catch(() =>
      refused(registry.addDevices(Array.from({length: 101}, (_, i) => ({deviceId: `x${i}`}))), errors.ArgumentError));
  },
  async 'delete devices'() {
    for (const id of ['d1', 'd2', odd, 'edge', 'b3']) await registry.delete(id);
    await refused(registry.get('d1'), errors.DeviceNotFoundError);
  },
};

// What the narrower shared access policies open, and what they do not: twins need
// service, identities registryRead.
const policies = {
  async 'identities'() {
    const asked = registry.get(online);
    if (how === 'registryRead') assert.equal(body(await asked).deviceId, online);
    else await refused(asked, errors.UnauthorizedError);
    await refused(registry.create({deviceId: 'mine'}), errors.UnauthorizedError);
  },
  async 'twins'() {
    const asked = registry.getTwin(online);
    if (how === 'service') assert.equal(body(await asked).deviceId, online);
    else await refused(asked, errors.UnauthorizedError);
  },
  async 'methods'() {
    const asked = client.invokeDeviceMethod(online, {methodName: 'ping', payload: {}, responseTimeoutInSeconds: 10});
    if (how === 'service') assert.equal((await asked).result.status, 200);
    else await refused(asked, errors.UnauthorizedError);
  },
};

// A free hub in trouble. The client retries nothing over HTTP, so each error is
// what one answer became. It calls every 403 TooManyDevicesError.
const faults = {
  async 'quota'() { await refused(registry.get('quota'), errors.TooManyDevicesError, /IotHubQuotaExceeded/); },
  async 'suspended'() { await refused(registry.get('suspended'), errors.TooManyDevicesError, /IotHubSuspended/); },
  async 'server error'() { await refused(registry.get('broken'), errors.InternalServerError); },
  async 'unavailable'() { await refused(registry.get('unavailable'), errors.ServiceUnavailableError); },
  async 'gateway timeout'() { await refused(registry.get('slow'), errors.GatewayTimeoutError); },
  async 'reset'() { await assert.rejects(registry.get('reset'), (err) => /ECONNRESET|socket hang up/.test(`${err.code} ${err.message}`)); },
  async 'throttling'() {
    // Twenty queries a minute go at once, the others wait their turn or are told to.
    const asked = Array.from({length: 40}, () => registry.createQuery('SELECT COUNT() AS n FROM devices').next());
    const outcomes = await Promise.allSettled(asked);
    const throttled = outcomes.filter((o) => o.status === 'rejected').map((o) => o.reason);
    assert.ok(throttled.length > 0 && throttled.length < 40, `${throttled.length} of 40 were throttled`);
    for (const err of throttled) {
      assert.equal(err.constructor.name, 'ThrottlingError', `${err.constructor.name}: ${err.message}`);
      assert.match(err.responseBody, /ThrottlingBacklogTimeout/);
    }
  },
};

(async () => {
  for (const [step, run] of Object.entries({everything, policies, faults}[list])) {
    const line = {step};
    try {
      await run();
    } catch (err) {
      line.error = `${err.stack ?? err}`;
    }
    console.log(JSON.stringify(line));
  }
  process.exit(0); // connections are kept alive
})();

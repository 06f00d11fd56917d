namespace LServe.Tests.Contracts;

public class EmbeddedSessionHostTests(EmbeddedFixture fixture) : SessionHostContract(fixture), IClassFixture<EmbeddedFixture>;

public class EmbeddedCpuSessionHostTests(EmbeddedCpuFixture fixture) : SessionHostContract(fixture), IClassFixture<EmbeddedCpuFixture>;

using LServe.Tests.Contracts;

namespace LServe.Tests.Cluster;

public class OneSiloSessionHostTests(OneSiloFixture fixture) : SessionHostContract(fixture), IClassFixture<OneSiloFixture>;

public class ThreeSiloSessionHostTests(ThreeSiloFixture fixture) : SessionHostContract(fixture), IClassFixture<ThreeSiloFixture>;

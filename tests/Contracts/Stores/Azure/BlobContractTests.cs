using LServe.Sessions;

namespace LServe.Tests.Contracts;

[NeedsAzurite]
public sealed class BlobSessionStoreTests(AzuriteFixture azurite) : SessionStoreContract, IClassFixture<AzuriteFixture>
{
    protected override ISessionStore CreateStore() => azurite.OpenAsync().GetAwaiter().GetResult().Sessions;
}

[NeedsAzurite]
public sealed class BlobKvPageStoreTests(AzuriteFixture azurite) : KvPageStoreContract, IClassFixture<AzuriteFixture>
{
    protected override IKvPageStore CreateStore() => azurite.OpenAsync().GetAwaiter().GetResult().Pages;
}

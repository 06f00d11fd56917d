using Azure.Storage.Blobs;
using LServe.Sessions;
using LServe.Stores.AzureBlob;

namespace LServe.Tests.Contracts;

/// <summary>What goes wrong says what it is and what to do, and never shows a key.</summary>
public sealed class BlobFailureTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>
{
    private static readonly TimeSpan s_soon = TimeSpan.FromMilliseconds(1);

    [AzuriteFact]
    public async Task AConnectionThatIsNone()
    {
        foreach (var connection in new[] { "secret", "AccountName=a;AccountKey=secret", "" })
            await FailsAsync(new() { Connection = connection }, "neither a connection string");
    }

    [AzuriteFact]
    public Task AKeyThatIsRefused()
    {
        var wrong = Convert.ToBase64String(new byte[64]);
        return FailsAsync(new() { Connection = azurite.Azurite.ConnectionTo(azurite.Azurite.Blobs, wrong) }, "refuses this server", notIn: wrong);
    }

    [AzuriteFact]
    public Task NobodyListens() =>
        FailsAsync(new() { Connection = azurite.Azurite.ConnectionTo(new("http://127.0.0.1:9/")), MaxRetries = 1, RetryDelay = s_soon }, "can't be reached");

    [AzuriteFact]
    public Task ANameThatNoContainerCanHave() => FailsAsync(azurite.NewContainer() with { Container = "No Container" }, "failed (400");

    [AzuriteFact]
    public async Task AContainerThatIsGone()
    {
        var options = azurite.NewContainer();
        var store = await azurite.OpenAsync(options);
        await new BlobContainerClient(options.Connection, options.Container).DeleteAsync();
        foreach (var call in new Func<Task>[]
        {
            async () => await store.Sessions.LoadAsync(new("t", "s")), async () => await SessionStoreContract.SaveTurnsAsync(store.Sessions, 1),
            async () => await store.Sessions.ListAsync("t", 1), async () => await store.Pages.WriteAsync(new("t", "s"), 1, [new(new(KvRecordKind.Retrieval, 0, 1), new byte[8])]),
        })
            Assert.Contains(options.Container, (await Assert.ThrowsAsync<SessionStoreException>(call)).Message);
        // Callers hear that it may pass, and when to come again.
        var problem = await Assert.ThrowsAsync<SessionStoreException>(async () => await store.Sessions.LoadAsync(new("t", "s")));
        Assert.True(problem.ToPublic().Error is { Retryable: true, RetryAfterSeconds: > 0 });
    }

    [AzuriteFact]
    public async Task ASignedContainerNeedsNoRightToMakeIt()
    {
        var options = azurite.NewContainer();
        await azurite.OpenAsync(options);
        var signed = new BlobContainerClient(options.Connection, options.Container).GenerateSasUri(
            Azure.Storage.Sas.BlobContainerSasPermissions.All & ~Azure.Storage.Sas.BlobContainerSasPermissions.Tag, DateTimeOffset.UtcNow.AddHours(1));
        var store = await AzureBlobStore.OpenAsync(new() { Connection = signed.ToString() });
        await SessionStoreContract.SaveTurnsAsync(store.Sessions, 2);

        Assert.DoesNotContain("sig=", store.Place);
        await FailsAsync(new() { Connection = signed.ToString().Replace("sig=", "sig=A") }, "refuses this server", notIn: "sig=");
    }

    private static async Task FailsAsync(AzureBlobOptions options, string saying, string notIn = "secret")
    {
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => AzureBlobStore.OpenAsync(options));
        Assert.Equal(StoreFailure.Unavailable, failure.Failure);
        Assert.Contains(saying, failure.Message);
        Assert.DoesNotContain(notIn, failure.Message);
    }
}

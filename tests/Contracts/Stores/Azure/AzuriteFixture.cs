using LServe.Stores.AzureBlob;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>An emulator for the tests of a class; each store has a container of its own.</summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private Azurite? _azurite;

    public Azurite Azurite => _azurite!;

    public async Task InitializeAsync()
    {
        if (Azurite.Missing is null) _azurite = await Azurite.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (_azurite is not null) await _azurite.DisposeAsync();
    }

    public AzureBlobOptions NewContainer() => new() { Connection = Azurite.ConnectionString, Container = "t" + Guid.NewGuid().ToString("N") };

    public Task<AzureBlobStore> OpenAsync(AzureBlobOptions? options = null) => AzureBlobStore.OpenAsync(options ?? NewContainer());
}

/// <summary>The class needs Azurite.</summary>
public sealed class NeedsAzuriteAttribute : NeedsAttribute
{
    public override string? Missing => Azurite.Missing;
}

/// <summary>Skips where there is no Azurite.</summary>
public sealed class AzuriteFactAttribute : FactAttribute
{
    public AzuriteFactAttribute() => Skip = Azurite.Missing;
}

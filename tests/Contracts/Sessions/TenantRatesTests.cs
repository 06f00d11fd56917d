using LServe.Sessions;

namespace LServe.Tests.Contracts;

public class TenantRatesTests
{
    private readonly ManualTime _time = new();
    private readonly TenantRates _rates;

    public TenantRatesTests() => _rates = new(_time);

    [Fact]
    public void ARateIsOfTheLastFiveWholeSeconds()
    {
        _rates.Count("a", 10);
        Assert.Empty(_rates.Read());
        Pass(1);
        _rates.Count("a", 20);
        _rates.Count("b", 100);
        Assert.Equal([new("a", 2)], _rates.Read());
        Pass(1);
        Assert.Equal([new("b", 20), new("a", 6)], _rates.Read());
        Pass(4);
        Assert.Equal([new("b", 20), new("a", 4)], _rates.Read());
        Pass(1);
        Assert.Empty(_rates.Read());
    }

    [Fact]
    public void PastTheLimitTenantsAreCountedTogetherUntilSomeFallSilent()
    {
        for (var i = 0; i < 2 * TenantRates.MaxTenants; i++) _rates.Count($"t{i}", 5);
        Pass(1);
        var full = _rates.Read();
        Assert.Equal(TenantRates.MaxTenants, full.Count);
        Assert.Equal(new(TenantRates.Others, TenantRates.MaxTenants + 1), full[0]);
        Assert.Equal(2 * TenantRates.MaxTenants, full.Sum(t => t.TokensPerSecond));

        Pass(10);
        _rates.Count("new", 5);
        Pass(1);
        Assert.Equal([new("new", 1)], _rates.Read());
    }

    private void Pass(int seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));
}

using System.Reflection;
using LServe.Contracts;
using LServe.Grains;
using LServe.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace LServe.Tests.Cluster;

/// <summary>What travels between silos and clients of different versions.</summary>
public class WireFormatTests
{
    private const string List = "tests/Cluster/Wire/wire-format.txt";

    private static readonly Assembly Abstractions = typeof(ISessionGrain).Assembly;

    [Fact]
    public void NamesAndIdsAreThoseOfTheList()
    {
        var listed = File.ReadAllLines(Path.Combine(RepositoryFiles.Root, List)).Where(line => line.Length > 0 && line[0] != '#');

        Assert.Equal(listed, Describe());
    }

    public static TheoryData<object> Values => new()
    {
        new TurnRequest { TurnId = "t", Messages = [new("user", "zwölf \ud83d\ude00"), new("assistant", "")], Sampling = new() { Temperature = 0.5f, TopK = 3, TopP = 0.9f, MinP = 0.1f } },
        new TurnRequest { Prompt = "p", Sampling = new() { RepetitionPenalty = 2, PresencePenalty = -1, FrequencyPenalty = 1, LogitBias = new Dictionary<int, float> { [5] = -2, [9] = 1 } } },
        new TurnRequest { PromptTokens = [1, 2, 3], Sampling = new() { Seed = -7, Stop = ["a", "b"], MaxTokens = 4, Logprobs = true, TopLogprobs = 5, IgnoreEnd = true } },
        new TurnStarted("id", 5, 3, true),
        new PromptProgress(2, 4),
        new TextDelta("text", 2, [new(1, "x", [120], -0.5f, [new(2, "y", [121], -1)])]),
        new TextDelta("", 0),
        new TurnCompleted(FinishReason.Cancelled, new(1, 2, 3, 4)),
        new TurnFailed(new(ErrorCode.SessionConflict, "message", "messages[1]", true, 7)),
        new SessionReply(true, new("t", "s", "m", 1, 2, 3, "idle", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1), "last", [new("user", "a")])),
        new SessionPlaceReply("silo", new(ErrorCode.Overloaded, "full")),
        new SessionListReply([], new(ErrorCode.Internal, "defect")),
    };

    [Theory]
    [MemberData(nameof(Values), DisableDiscoveryEnumeration = true)]
    public void AValueSurvivesTheWireAndTheCopy(object value)
    {
        using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();
        var bytes = serializer.SerializeToArray(value);

        Assert.Equivalent(value, serializer.Deserialize<object>(bytes), strict: true);
        Assert.Equivalent(value, services.GetRequiredService<DeepCopier>().Copy(value), strict: true);
        Assert.DoesNotContain("LServe.", System.Text.Encoding.Latin1.GetString(bytes));
    }

    [Fact]
    public void EveryKindOfEventTravels()
    {
        var names = Describe();
        var kinds = typeof(TurnEvent).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(TurnEvent)));

        Assert.All(kinds, kind => Assert.Contains(names, name => name.StartsWith($"lserve.{kind.Name}:", StringComparison.Ordinal)));
    }

    private static string[] Describe()
    {
        var named = Abstractions.GetTypes().Where(t => t.GetCustomAttribute<AliasAttribute>()?.Alias.StartsWith("lserve.", StringComparison.Ordinal) is true);
        var contracts = Abstractions.GetType("LServe.Grains.Wire.WireNames", throwOnError: true)!.GetProperty("All")!.GetValue(null);
        return
        [
            .. named.SelectMany(t => Members(t).Prepend(AliasOf(t))).Order(StringComparer.Ordinal),
            .. ((IReadOnlyDictionary<string, Type>)contracts!).OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key}: {Properties(c.Value)}".TrimEnd()),
        ];
    }

    /// <summary>What a contract carries, so that a new property isn't forgotten on the wire.</summary>
    private static string Properties(Type contract) =>
        string.Join(' ', contract.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly).Select(p => p.Name).Order(StringComparer.Ordinal));

    private static IEnumerable<string> Members(Type type)
    {
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        foreach (var member in type.GetMembers(all))
            if (member is MethodInfo && member.GetCustomAttribute<AliasAttribute>() is { } alias) yield return $"{AliasOf(type)}.{alias.Alias}";
            else if (member.GetCustomAttribute<IdAttribute>() is { } id) yield return $"{AliasOf(type)}#{id.Id:00} {member.Name} {TypeOf(member)}";
    }

    private static string AliasOf(Type type) => type.GetCustomAttribute<AliasAttribute>()!.Alias;

    private static string TypeOf(MemberInfo member)
    {
        var type = member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;
        return Nullable.GetUnderlyingType(type) is { } value ? value.Name + "?" : type.Name;
    }
}
